"""How a Prometheus is asked, and what its odd answers mean; tests/api asks a real one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from modelyard.adapters.traffic.prometheus import NOT_CONFIGURED, Prometheus, PrometheusConfig
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, PodAddress, QueryPrometheus

POD = PodAddress("uid", "10.0.0.1", "team", "digits.a")
UP = QueryPrometheus("up")


@dataclass
class Server:
    """Answers what a test says, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: str = '{"status":"success","data":{"resultType":"vector","result":[]}}'
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append((str(form["query"]), request.headers.get("Authorization")))
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, text=self.body, headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, app = Server(), web.Application()
    app.router.add_post("/base/api/v1/query", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/base/"
    yield server
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_without_an_address_the_chart_is_named(session: aiohttp.ClientSession) -> None:
    assert await Prometheus(session, PrometheusConfig("")).query(UP) == NOT_CONFIGURED
    assert "prometheus.url" in NOT_CONFIGURED.message


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "", "AccessDenied"),
        (403, "no", "AccessDenied"),
        (302, "", "InvalidResponse"),
        (200, "<html>", "InvalidResponse"),
        (200, "[]", "InvalidResponse"),
        (200, '{"status":"success"}', "InvalidResponse"),
        (200, '{"status":"success","data":{"resultType":"scalar","result":[1,"many"]}}', "InvalidResponse"),
        (400, '{"status":"error","errorType":"bad_data","error":"parse error"}', "QueryFailed"),
        (503, '{"status":"error","error":"query timed out"}', "QueryFailed"),
        (200, "x" * (2 << 20), "PrometheusUnreachable"),
    ],
)
async def test_an_answer_that_is_none_has_a_reason(
    server: Server, session: aiohttp.ClientSession, status: int, body: str, reason: str
) -> None:
    server.status, server.body = status, body
    answer = await Prometheus(session, PrometheusConfig(server.url)).query(UP)
    assert isinstance(answer, Failure)
    assert answer.reason == reason
    traffic = await Prometheus(session, PrometheusConfig(server.url)).measure(MeasureTraffic((POD,), 15))
    assert isinstance(traffic, Failure)


@pytest.mark.parametrize(
    ("files", "header"),
    [
        ({}, None),
        ({"username": "operator", "password": "secret\n"}, "Basic b3BlcmF0b3I6c2VjcmV0"),
        ({"token": "abc\n"}, "Bearer abc"),
        ({"token": "abc", "username": "operator"}, "Bearer abc"),
    ],
)
async def test_credentials_are_read_anew_for_every_question(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, files: dict[str, str], header: str | None
) -> None:
    prometheus = Prometheus(session, PrometheusConfig(server.url, credentials_dir=tmp_path))
    await prometheus.query(UP)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    await prometheus.query(UP)
    assert server.asked == [("up", None), ("up", header)]


async def test_a_window_holds_two_scrapes_at_least(server: Server, session: aiohttp.ClientSession) -> None:
    prometheus = Prometheus(session, PrometheusConfig(server.url, scrape_seconds=30))
    await prometheus.measure(MeasureTraffic((POD,), 15))
    assert all("offset 60s" in query for query, _ in server.asked)
    server.asked.clear()
    await prometheus.measure(MeasureTraffic((POD,), 300))
    assert all("offset 300s" in query for query, _ in server.asked)


async def test_only_predictions_of_these_pods_are_asked_for(server: Server, session: aiohttp.ClientSession) -> None:
    await Prometheus(session, PrometheusConfig(server.url)).measure(MeasureTraffic((POD,), 15))
    for query, _ in server.asked:
        assert 'namespace="team",pod=~"digits[.]a",path=~".*/infer|' in query
