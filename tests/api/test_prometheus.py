"""The operator's questions, put to a real Prometheus that reads small model servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiohttp
import pytest

from modelyard.adapters.traffic.prometheus import Prometheus, PrometheusConfig
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, PodAddress, QueryPrometheus, Traffic
from support.exposition import counted
from support.prometheus import Prometheus as Server

pytestmark = pytest.mark.api

WINDOW_SECONDS = 6.0
POD = PodAddress("uid", "10.0.0.1", "team", "digits-a")
OTHER = PodAddress("uid-b", "10.0.0.2", "team", "digits-b")


class ModelServers:
    """Tells the metrics that a test writes, by the first part of the path."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        texts = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = texts.get(self.path.split("/")[1], "").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def models() -> Iterator[ModelServers]:
    servers = ModelServers()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: ModelServers) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("prometheus"))
    server.start()
    server.read(
        [
            {"address": models.address, "path": f"/{pod.name}/prometheus", "namespace": "team", "pod": pod.name}
            for pod in (POD, OTHER)
        ]
    )
    yield server
    server.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def prometheus(session: aiohttp.ClientSession, server: Server) -> Prometheus:
    return Prometheus(session, PrometheusConfig(server.url, scrape_seconds=1))


async def until(probe: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await probe():
            return
        await asyncio.sleep(0.2)
    pytest.fail("it did not come about")


async def measure(prometheus: Prometheus, *pods: PodAddress) -> Traffic:
    answer = await prometheus.measure(MeasureTraffic(pods, WINDOW_SECONDS))
    assert isinstance(answer, Traffic), answer
    return answer


async def test_a_predictors_traffic_is_what_its_pods_counted_in_the_window(
    prometheus: Prometheus, models: ModelServers
) -> None:
    models.texts[POD.name] = counted(100, 0)

    async def is_seen(requests: int) -> bool:
        return (await measure(prometheus, POD)).requests == requests

    await until(lambda: is_seen(100))  # a new server counts from nothing: also what it holds when first seen is new
    await until(lambda: is_seen(0))  # and is old once the window has gone by
    models.texts[POD.name] = counted(160, 30) + counted(900, 900, path="/v2/models/{model_name}/ready")
    await until(lambda: is_seen(60))
    found = await measure(prometheus, POD)
    assert (found.errors, found.window_seconds) == (30, WINDOW_SECONDS)
    assert found.latency_p95_seconds == pytest.approx(0.048)
    models.texts[OTHER.name] = counted(7, 7)

    async def others_are_seen() -> bool:
        return (await measure(prometheus, OTHER)).requests == 7

    await until(others_are_seen)
    assert (await measure(prometheus, POD, OTHER)).errors >= 7


async def test_a_server_that_begins_anew_is_counted_from_nothing(prometheus: Prometheus, models: ModelServers) -> None:
    models.texts[POD.name] = counted(5000)

    async def is_settled() -> bool:
        return (await measure(prometheus, POD)).requests == 0

    await asyncio.sleep(3)
    await until(is_settled)
    models.texts[POD.name] = counted(20, 20)

    async def is_new() -> bool:
        found = await measure(prometheus, POD)
        return (found.requests, found.errors) == (20, 20)

    await until(is_new)


async def test_pods_that_prometheus_does_not_read_have_no_traffic(prometheus: Prometheus) -> None:
    assert await measure(prometheus, PodAddress("x", "10.0.0.9", "team", "unknown")) == Traffic(0, 0, None, 6)
    assert await measure(prometheus) == Traffic(0, 0, None, 6)


@pytest.mark.parametrize(
    ("query", "number"),
    [("vector(0.25)", 0.25), ("scalar(vector(3))", 3.0), ("1 + 1", 2.0), ("nothing_of_that_name", None)],
)
async def test_a_query_gives_one_number(prometheus: Prometheus, query: str, number: float | None) -> None:
    assert await prometheus.query(QueryPrometheus(query)) == number


async def test_a_share_of_nothing_is_not_a_number(prometheus: Prometheus) -> None:
    answer = await prometheus.query(QueryPrometheus("vector(0) / vector(0)"))
    assert isinstance(answer, float)
    assert answer != answer  # noqa: PLR0124 - NaN


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sum(", "parse error"),
        ("up", "2 series: make it one number"),
        ("up[1m]", "gives a matrix, not a number"),
        ('"text"', "gives a string, not a number"),
    ],
)
async def test_what_is_no_number_is_said(prometheus: Prometheus, server: Server, query: str, said: str) -> None:
    await until(lambda: asyncio.to_thread(lambda: server.value("sum(up)") == 2))
    answer = await prometheus.query(QueryPrometheus(query))
    assert isinstance(answer, Failure)
    assert said in answer.message


async def test_a_prometheus_that_is_away_is_named(session: aiohttp.ClientSession) -> None:
    away = Prometheus(session, PrometheusConfig("http://127.0.0.1:9", timeout_seconds=1))
    for answer in (await away.query(QueryPrometheus("up")), await away.measure(MeasureTraffic((POD,), 15))):
        assert isinstance(answer, Failure)
        assert answer.reason == "PrometheusUnreachable"
        assert "http://127.0.0.1:9" in answer.message
