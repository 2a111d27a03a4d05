"""Traffic read from pods: windows from readings, and pods that do not tell."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from modelyard.adapters.traffic import asking
from modelyard.adapters.traffic.pods import PodTraffic
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, PodAddress, Traffic
from support.exposition import counted

A, B = PodAddress("uid-a", "10.0.0.1", "team", "a"), PodAddress("uid-b", "10.0.0.2", "team", "b")


@dataclass
class Pods:
    """Model servers on loopback, told apart by the IP in the path; the time is the test's."""

    traffic: PodTraffic
    texts: dict[str, str | int] = field(default_factory=dict)
    now: float = 1000.0

    async def measure(self, *pods: PodAddress, after: float = 0, window: float = 15) -> Traffic | Failure:
        self.now += after
        return await self.traffic.measure(MeasureTraffic(pods, window))


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    async def tell(request: web.Request) -> web.StreamResponse:
        text = playing.texts.get(request.match_info["ip"], 503)
        if text == 302:
            raise web.HTTPFound("/10.0.0.1/prometheus")
        if text == 0:
            await asyncio.sleep(60)
        return web.Response(status=text) if isinstance(text, int) else web.Response(text=text)

    app = web.Application()
    app.router.add_get("/{ip}/prometheus", tell)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        template = f"http://127.0.0.1:{port}/{{ip}}"
        playing = Pods(PodTraffic(session, template, lambda: playing.now))
        yield playing
    await runner.cleanup()


async def test_the_first_reading_begins_the_window(pods: Pods) -> None:
    pods.texts["10.0.0.1"] = counted(500, 500)
    assert await pods.measure(A) == Traffic(0, 0, None, 0)


async def test_a_window_holds_what_came_since_the_last_check(pods: Pods) -> None:
    pods.texts["10.0.0.1"] = counted(500, 100)
    await pods.measure(A)
    pods.texts["10.0.0.1"] = counted(620, 130)
    found = await pods.measure(A, after=15)
    assert isinstance(found, Traffic)
    assert (found.requests, found.errors, found.window_seconds, found.unread) == (120, 30, 15, 0)
    assert found.latency_p95_seconds == pytest.approx(0.048)


async def test_what_is_older_than_a_window_is_left_out(pods: Pods) -> None:
    for count in (100, 200, 300, 400):
        pods.texts["10.0.0.1"] = counted(count)
        found = await pods.measure(A, after=15)
    assert found == Traffic(100, 0, pytest.approx(0.048), 15)


async def test_a_look_in_between_does_not_shorten_the_window(pods: Pods) -> None:
    for count, after in ((0, 0), (50, 7), (80, 8)):
        pods.texts["10.0.0.1"] = counted(count)
        found = await pods.measure(A, after=after)
    assert isinstance(found, Traffic)
    assert (found.requests, found.window_seconds) == (80, 15)


async def test_a_server_that_was_restarted_is_counted_from_its_start(pods: Pods) -> None:
    pods.texts["10.0.0.1"] = counted(500)
    await pods.measure(A)
    pods.texts["10.0.0.1"] = counted(20, 20)
    found = await pods.measure(A, after=15)
    assert isinstance(found, Traffic)
    assert (found.requests, found.errors) == (20, 20)


async def test_pods_add_up_and_one_that_came_later_counts_from_then_on(pods: Pods) -> None:
    pods.texts |= {"10.0.0.1": counted(100), "10.0.0.2": counted(1000, 1000)}
    await pods.measure(A)
    pods.texts["10.0.0.1"] = counted(130, 1)
    found = await pods.measure(A, B, after=15)
    assert isinstance(found, Traffic)
    assert (found.requests, found.errors, found.window_seconds) == (30, 1, 15)
    pods.texts["10.0.0.2"] = counted(1010, 1005)
    found = await pods.measure(A, B, after=15)
    assert isinstance(found, Traffic)
    assert (found.requests, found.errors) == (10, 5)


@pytest.mark.parametrize("answer", [503, 404, 302, "rest_server_request{", "x" * (2 << 20)])
async def test_a_pod_that_cannot_be_read_is_counted_and_where_none_can_it_is_said(
    pods: Pods, answer: str | int
) -> None:
    pods.texts |= {"10.0.0.1": answer, "10.0.0.2": counted(10)}
    assert await pods.measure(A, B) == Traffic(0, 0, None, 0, unread=1)
    failed = await pods.measure(A)
    assert isinstance(failed, Failure)
    assert failed.reason == "MetricsUnreachable"
    assert "10.0.0.1/prometheus" in failed.message


async def test_a_pod_that_hangs_is_waited_for_a_bounded_time(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_SECONDS", 0.2)
    pods.texts |= {"10.0.0.1": 0, "10.0.0.2": counted(10)}
    assert await pods.measure(A, B) == Traffic(0, 0, None, 0, unread=1)
    failed = await pods.measure(A)
    assert isinstance(failed, Failure)
    assert "pod a did not tell its metrics within 0.2 s" in failed.message


async def test_a_predictor_without_pods_has_no_traffic(pods: Pods) -> None:
    assert await pods.measure() == Traffic(0, 0, None, 0)


async def test_a_pod_that_could_not_be_read_for_a_while_misses_nothing(pods: Pods) -> None:
    pods.texts["10.0.0.1"] = counted(100)
    await pods.measure(A)
    pods.texts["10.0.0.1"] = 503
    await pods.measure(A, after=15)
    pods.texts["10.0.0.1"] = counted(150)
    found = await pods.measure(A, after=15)
    assert isinstance(found, Traffic)
    assert (found.requests, found.window_seconds) == (50, 30)


async def test_what_nobody_asks_for_any_more_is_forgotten(pods: Pods) -> None:
    pods.texts |= {"10.0.0.1": counted(100), "10.0.0.2": counted(100)}
    await pods.measure(A)
    await pods.measure(B, after=3600)
    assert set(pods.traffic._readings) == {"uid-b"}


async def test_readings_of_a_pod_are_bounded_however_often_it_is_looked_at(pods: Pods) -> None:
    pods.texts["10.0.0.1"] = counted(100)
    for _ in range(200):
        await pods.measure(A, after=0.01, window=3600)
    assert len(pods.traffic._readings["uid-a"]) == 64


async def test_an_address_of_version_6_is_written_as_urls_want_it(pods: Pods) -> None:
    pods.texts["[fd00::1]"] = counted(1)
    assert await pods.measure(PodAddress("uid-c", "fd00::1")) == Traffic(0, 0, None, 0)
