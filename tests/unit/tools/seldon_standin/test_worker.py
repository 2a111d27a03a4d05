"""When passes run."""

import asyncio

import pytest

from tools.seldon_standin import worker
from tools.seldon_standin.cluster import ApiError
from tools.seldon_standin.reconcile import RefusedError
from tools.seldon_standin.worker import Key, Worker

KEY = ("ml", "churn")


class Passes:
    """Counts passes, holds each until it is let go and ends it with the next of the given errors."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.count = 0
        self.running = 0
        self.most_at_once = 0
        self.refusals: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run_once(self, key: Key) -> None:
        assert key == KEY
        self.count += 1
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await self.gate.wait()
        self.running -= 1
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error

    async def refuse(self, _key: Key, description: str) -> None:
        self.refusals.append(description)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FIRST_RETRY_SECONDS", 0.001)


async def settle() -> None:
    await asyncio.sleep(0.05)


async def test_wakes_during_a_pass_make_one_more_and_never_two_at_once() -> None:
    passes = Passes()
    passes.gate.clear()
    subject = Worker(passes.run_once, passes.refuse)
    for _ in range(5):
        subject.wake(KEY)
        await asyncio.sleep(0)
    passes.gate.set()
    await settle()
    assert (passes.count, passes.most_at_once) == (2, 1)


async def test_an_api_error_is_tried_again_until_it_is_gone() -> None:
    passes = Passes(ApiError(409, "changed"), ApiError(0, "away"))
    Worker(passes.run_once, passes.refuse).wake(KEY)
    await settle()
    assert (passes.count, passes.refusals) == (3, [])


async def test_what_only_a_user_can_repair_is_told_and_not_tried_again() -> None:
    passes = Passes(RefusedError("traffic must sum to 100"))
    Worker(passes.run_once, passes.refuse).wake(KEY)
    await settle()
    assert (passes.count, passes.refusals) == (1, ["traffic must sum to 100"])


async def test_an_invalid_pod_is_told() -> None:
    passes = Passes(ApiError(422, "image: Required value"))
    Worker(passes.run_once, passes.refuse).wake(KEY)
    await settle()
    assert passes.refusals == ["image: Required value"]


async def test_a_bug_is_logged_and_the_next_wake_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    passes = Passes(KeyError("metadata"))
    subject = Worker(passes.run_once, passes.refuse)
    subject.wake(KEY)
    await settle()
    assert "ended by a bug" in caplog.text
    subject.wake(KEY)
    await settle()
    assert passes.count == 2


async def test_stopping_ends_a_pass() -> None:
    passes = Passes()
    passes.gate.clear()
    subject = Worker(passes.run_once, passes.refuse)
    subject.wake(KEY)
    await asyncio.sleep(0)
    await asyncio.wait_for(subject.stop(), 1)
