"""Waits for what has to come true, and never longer."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 30.0


def eventually(
    probe: Callable[[], T | None], what: str, explain: Callable[[], str], seconds: float = PATIENCE_SECONDS
) -> T:
    """The first true answer of the probe; fails with `explain` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{explain()}")
        time.sleep(POLL_SECONDS)


def never(probe: Callable[[], object], what: str, explain: Callable[[], str], seconds: float) -> None:
    """Fails as soon as the probe says something true within this time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            raise AssertionError(f"{what}: {found}\n{explain()}")
        time.sleep(POLL_SECONDS)
