"""The thread pool and the sharing of answers."""

import asyncio
import threading
import time

import pytest

from modelyard.adapters.mlflow.pool import ThreadPool
from modelyard.adapters.mlflow.single_flight import SingleFlight


async def test_work_runs_beside_the_event_loop() -> None:
    pool = ThreadPool(1)
    assert await pool.run(threading.get_ident, 5.0) != threading.get_ident()
    pool.close()


async def test_work_that_raises_raises_here() -> None:
    pool = ThreadPool(1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 / 0, 5.0)
    pool.close()


async def test_work_that_takes_too_long_is_left_alone() -> None:
    pool, release = ThreadPool(1), threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        await pool.run(release.wait, 0.05)
    assert time.monotonic() - started < 2.0
    release.set()
    pool.close()


async def test_work_waiting_for_a_thread_is_never_begun_after_its_deadline() -> None:
    pool, release, begun = ThreadPool(2), threading.Event(), threading.Event()
    busy = [asyncio.ensure_future(pool.run(lambda: release.wait(5), 5.0)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        await pool.run(begun.set, 0.05)
    release.set()
    await asyncio.gather(*busy)
    await pool.run(lambda: None, 5.0)
    assert not begun.is_set()
    pool.close()


async def test_threads_that_never_come_back_are_replaced() -> None:
    pool, release = ThreadPool(2), threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await pool.run(release.wait, 0.05)
    assert await pool.run(lambda: "alive", 5.0) == "alive"
    release.set()
    pool.close()


async def test_the_same_question_in_flight_is_asked_once() -> None:
    flights, asked = SingleFlight(), []

    async def ask() -> str:
        asked.append(1)
        await asyncio.sleep(0.02)
        return "answer"

    answers = await asyncio.gather(*(flights.join("question", ask) for _ in range(50)))
    assert (answers, len(asked)) == (["answer"] * 50, 1)


async def test_an_answer_is_not_kept() -> None:
    flights, asked = SingleFlight(), []

    async def ask() -> None:
        asked.append(1)

    await flights.join("question", ask)
    await flights.join("question", ask)
    assert len(asked) == 2


async def test_one_who_stops_waiting_does_not_take_the_answer_from_the_others() -> None:
    flights, release = SingleFlight(), asyncio.Event()

    async def ask() -> str:
        await release.wait()
        return "answer"

    first, second = (asyncio.ensure_future(flights.join("question", ask)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == "answer"
