import asyncio

import pytest

from modelyard.engine.queue import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, WorkQueue
from unit.engine.fakes import FakeClock


class Bench:
    """A queue with a clock of its own."""

    def __init__(self, fraction: float = 0.0) -> None:
        self.clock = FakeClock()
        self.queue: WorkQueue[str] = WorkQueue(self.clock, fraction=lambda: fraction)

    async def take(self) -> str:
        async with asyncio.timeout(1):
            return await self.queue.get()

    async def work(self) -> str:
        key = await self.take()
        self.queue.done(key)
        return key


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_keys_come_in_the_order_they_were_added(bench: Bench) -> None:
    for key in "abc":
        bench.queue.add(key)
    assert [await bench.work() for _ in "abc"] == ["a", "b", "c"]


async def test_a_key_that_waits_already_is_not_added_again(bench: Bench) -> None:
    bench.queue.add("a")
    bench.queue.add("a")
    await bench.work()
    assert len(bench.queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_again_only_afterwards(bench: Bench) -> None:
    bench.queue.add("a")
    await bench.take()
    bench.queue.add("a")
    bench.queue.add("a")
    assert len(bench.queue) == 0
    bench.queue.done("a")
    assert len(bench.queue) == 1
    await bench.work()
    assert len(bench.queue) == 0


async def test_a_waiting_worker_gets_what_is_added_later(bench: Bench) -> None:
    taking = asyncio.create_task(bench.take())
    await asyncio.sleep(0)
    bench.queue.add("a")
    assert await taking == "a"


async def test_a_key_that_is_due_later_comes_then(bench: Bench) -> None:
    bench.queue.add_after("a", 10)
    bench.clock.advance(9.9)
    assert len(bench.queue) == 0
    bench.clock.advance(0.2)
    assert await bench.work() == "a"


async def test_the_earliest_of_several_times_wins_and_is_the_only_one(bench: Bench) -> None:
    bench.queue.add_after("a", 10)
    bench.queue.add_after("a", 20)
    bench.queue.add_after("a", 5)
    assert bench.clock.pending() == [bench.clock.now + 5]


async def test_whoever_takes_a_key_decides_anew_when_it_is_due(bench: Bench) -> None:
    bench.queue.add_after("a", 10)
    bench.queue.add("a")
    await bench.take()
    assert bench.clock.pending() == []


async def test_each_failure_waits_longer_up_to_a_limit(bench: Bench) -> None:
    delays = [bench.queue.retry("a") for _ in range(20)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_SECONDS


async def test_chance_only_lengthens_a_delay_and_never_beyond_the_limit() -> None:
    lucky, unlucky = Bench(fraction=0.0), Bench(fraction=0.999)
    assert lucky.queue.retry("a") == FIRST_DELAY_SECONDS
    assert FIRST_DELAY_SECONDS < unlucky.queue.retry("a") < 2 * FIRST_DELAY_SECONDS
    assert max(unlucky.queue.retry("a") for _ in range(20)) == LONGEST_DELAY_SECONDS


async def test_a_success_makes_the_next_failure_the_first(bench: Bench) -> None:
    bench.queue.retry("a")
    bench.queue.retry("a")
    bench.queue.forget("a")
    assert bench.queue.retry("a") == FIRST_DELAY_SECONDS


async def test_keys_fail_separately(bench: Bench) -> None:
    bench.queue.retry("a")
    assert bench.queue.retry("b") == FIRST_DELAY_SECONDS


async def test_a_retry_does_not_come_before_the_time_the_server_asked_for(bench: Bench) -> None:
    assert bench.queue.retry("a", floor=30) == 30
    bench.clock.advance(29.9)
    assert len(bench.queue) == 0
    bench.clock.advance(0.2)
    assert await bench.work() == "a"


async def test_not_even_an_event_brings_a_key_back_before_that_time(bench: Bench) -> None:
    bench.queue.retry("a", floor=30)
    bench.clock.advance(10)
    bench.queue.add("a")
    assert len(bench.queue) == 0
    bench.clock.advance(20.1)
    assert len(bench.queue) == 1


async def test_an_event_brings_a_key_back_early_from_an_ordinary_failure(bench: Bench) -> None:
    bench.queue.retry("a")
    bench.queue.add("a")
    assert len(bench.queue) == 1
