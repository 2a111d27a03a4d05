"""Answers /healthz, /readyz and /metrics."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from modelyard.engine.metrics import Metrics

MOST_LAG_SECONDS = 5.0
_BEAT_SECONDS = 1.0

Check = Callable[[], str | None]
"""What is wrong, or None."""


class Heartbeat:
    """How far behind its timers the event loop is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_beat = clock()
        self._lag = 0.0

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            self.beat()

    def beat(self) -> None:
        """Measure how late this beat is."""
        now = self._clock()
        self._lag = now - self._last_beat - _BEAT_SECONDS
        self._last_beat = now

    def complaint(self) -> str | None:
        """What is wrong: the lag of the last beat, or of one that has not come yet."""
        lag = max(self._lag, self._clock() - self._last_beat - _BEAT_SECONDS)
        return f"the event loop is {lag:.1f} s behind" if lag > MOST_LAG_SECONDS else None


@asynccontextmanager
async def served(
    host: str, ports: tuple[int, int], metrics: Metrics, is_healthy: Check, is_ready: Check
) -> AsyncIterator[None]:
    """Serve on the probes' port and the metrics' port while the block runs."""
    probe_port, metrics_port = ports
    probes = web.Application()
    probes.router.add_get("/healthz", _answer(is_healthy))
    probes.router.add_get("/readyz", _answer(is_ready))
    pages = probes if probe_port == metrics_port else web.Application()
    pages.router.add_get("/metrics", _metrics_page(metrics))
    runners = [await _serve(probes, host, probe_port)]
    try:
        if pages is not probes:
            runners.append(await _serve(pages, host, metrics_port))
        yield
    finally:
        for runner in runners:
            await runner.cleanup()


async def _serve(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve it on this port."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def _answer(check: Check) -> Callable[[web.Request], "asyncio.Future[web.Response]"]:
    """200, or 503 with what is wrong."""

    async def answer(_: web.Request) -> web.Response:
        complaint = check()
        return web.Response(text=complaint or "ok", status=503 if complaint else 200)

    return answer  # type: ignore[return-value] # a coroutine function is what aiohttp wants


def _metrics_page(metrics: Metrics) -> Callable[[web.Request], "asyncio.Future[web.Response]"]:
    """Prometheus' text format."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return page  # type: ignore[return-value] # as above
