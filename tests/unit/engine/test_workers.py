import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from modelyard.core.plan import Key
from modelyard.engine import workers as module
from modelyard.engine.logs import JsonFormatter
from modelyard.engine.metrics import Metrics
from modelyard.engine.queue import WorkQueue
from modelyard.engine.workers import Workers
from modelyard.kube.errors import TooManyRequests
from unit.engine.fakes import FakeClock

A, B = Key("Thing", "team", "a"), Key("Thing", "team", "b")

Reconcile = Callable[[Key], Awaitable[float | None]]


class Bench:
    def __init__(self, reconcile: Reconcile, may_work: Callable[[], bool] = lambda: True) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.queue: WorkQueue[Key] = WorkQueue(self.clock, self.metrics, fraction=lambda: 0.0)
        self.workers = Workers(self.queue, {"Thing": reconcile}, self.metrics, may_work, lambda _: 7)

    @asynccontextmanager
    async def running(self, count: int = 2) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.workers.run()) for _ in range(count)]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    def count(self, result: str) -> float:
        labels = {"controller": "Thing", "result": result}
        return self.metrics.registry.get_sample_value("controller_runtime_reconcile_total", labels) or 0.0


async def test_a_reconcile_that_says_when_to_look_again_is_looked_at_then() -> None:
    async def reconcile(_: Key) -> float | None:
        return 30.0

    bench = Bench(reconcile)
    async with bench.running():
        bench.queue.add(A)
        await bench.settle()
    assert bench.clock.pending() == [bench.clock.now + 30]
    assert bench.count("requeue_after") == 1


async def test_a_refusal_of_the_api_server_is_tried_again_not_before_it_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def reconcile(_: Key) -> float | None:
        raise TooManyRequests(429, "TooManyRequests", "slow down", retry_after=17.0)

    bench = Bench(reconcile)
    async with bench.running():
        bench.queue.add(A)
        await bench.settle()
    assert bench.clock.pending() == [bench.clock.now + 17]
    assert bench.count("error") == 1
    assert [record.exc_info for record in caplog.records] == [None]


async def test_a_bug_is_shown_whole_and_stops_neither_its_object_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = []

    async def reconcile(key: Key) -> float | None:
        seen.append(key)
        if key == A:
            raise ZeroDivisionError("a bug")
        return None

    bench = Bench(reconcile)
    async with bench.running(count=1):
        bench.queue.add(A)
        bench.queue.add(B)
        await bench.settle()
        bench.clock.advance(1)
        await bench.settle()
    assert seen == [A, B, A]
    assert "ZeroDivisionError" in caplog.text


async def test_a_reconcile_that_hangs_is_ended_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_RECONCILE_SECONDS", 0.01)

    async def reconcile(_: Key) -> float | None:
        await asyncio.sleep(60)
        return None

    bench = Bench(reconcile)
    async with bench.running():
        bench.queue.add(A)
        await asyncio.sleep(0.1)
    assert bench.count("error") == 1
    assert bench.clock.pending() == [bench.clock.now + 0.5]


async def test_nothing_is_reconciled_while_this_replica_may_not_work_and_nothing_is_lost() -> None:
    seen = []

    async def reconcile(key: Key) -> float | None:
        seen.append(key)
        return None

    is_allowed = False
    bench = Bench(reconcile, lambda: is_allowed)
    async with bench.running():
        bench.queue.add(A)
        await bench.settle()
        assert seen == []
        is_allowed = True
        bench.clock.advance(1)
        await bench.settle()
    assert seen == [A]


async def test_workers_are_drained_once_the_last_of_them_is_done() -> None:
    release = asyncio.Event()

    async def reconcile(_: Key) -> float | None:
        await release.wait()
        return None

    bench = Bench(reconcile)
    async with bench.running():
        bench.queue.add(A)
        await bench.settle()
        draining = asyncio.create_task(bench.workers.drained())
        await bench.settle()
        assert not draining.done()
        release.set()
        await draining


async def test_what_a_reconcile_logs_names_its_object(caplog: pytest.LogCaptureFixture) -> None:
    lines = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonFormatter().format(record)))

    log = logging.getLogger("unit.reconcile")
    log.addHandler(Handler())

    async def reconcile(_: Key) -> float | None:
        log.warning("seen")
        return None

    bench = Bench(reconcile)
    async with bench.running():
        bench.queue.add(A)
        await bench.settle()
    about = {"kind": "Thing", "namespace": "team", "name": "a", "generation": 7}
    assert lines[0] | about == lines[0]
    assert caplog.messages == ["seen"]
