"""Aliases that somebody follows: each is read once in an interval, however many ask."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

from modelyard.adapters.mlflow.single_flight import SingleFlight
from modelyard.core.plan import Failure


@dataclass(frozen=True)
class Rhythm:
    """How often an alias is read."""

    interval_seconds: float = 15.0
    first_retry_seconds: float = 1.0
    """After a failure; it doubles with each further one, up to twice the interval."""
    closest_seconds: float = 0.2
    """Between two readings, however often somebody says that the alias moved."""
    jitter: float = 0.1
    """Up to this part of a pause is left out, so that aliases first read together do not stay together."""

    def pause(self, failures: int, fraction: float) -> float:
        """Seconds until the next reading, after so many failures in a row."""
        longest = 2 * self.interval_seconds
        doubled = min(longest, self.first_retry_seconds * 2.0 ** min(failures - 1, 16))
        return (doubled if failures else self.interval_seconds) * (1 - self.jitter * fraction)

    @property
    def patience_seconds(self) -> float:
        """An alias that nobody asked for in this time is not read any more."""
        return 3 * self.interval_seconds


@dataclass
class _Known:
    """The last answer about one alias."""

    answer: Any
    read_at: float
    asked_at: float
    failures: int
    timer: asyncio.TimerHandle | None = None


class FollowedAliases:
    """Answers from the last reading; reads again by itself for as long as somebody asks, and tells of what changed.

    Not thread-safe: it belongs to the event loop.
    """

    def __init__(
        self,
        read: Callable[[Any], Awaitable[Any]],
        rhythm: Rhythm,
        told: Callable[[Any], None],
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._read = read
        self._rhythm = rhythm
        self._told = told
        self._fraction = fraction
        self._flights = SingleFlight()
        self._known: dict[Hashable, _Known] = {}
        self._moved: set[Hashable] = set()
        """Aliases that moved while they were being read: that reading may have come too early."""

    async def ask(self, alias: Hashable) -> Any:  # noqa: ANN401 - the question's docstring says
        """The last answer about the alias, or a first one."""
        known = self._known.get(alias)
        if known is None:
            known = await self._flights.join(alias, lambda: self._look(alias))
        known.asked_at = _now()
        return known.answer

    def look_again(self, alias: Hashable) -> None:
        """Somebody says that the alias moved: read it now, if anybody follows it."""
        known = self._known.get(alias)
        if self._flights.is_under_way(alias):
            self._moved.add(alias)
        elif known is not None:
            self._schedule(alias, known, max(0.0, known.read_at + self._rhythm.closest_seconds - _now()))

    def aliases(self) -> tuple[Hashable, ...]:
        """All that are followed now."""
        return tuple(self._known)

    async def close(self) -> None:
        """Read nothing more."""
        for known in self._known.values():
            _cancel(known)
        await self._flights.cancel()

    async def _look(self, alias: Hashable) -> _Known:
        """One reading."""
        before = self._known.get(alias)
        self._moved.discard(alias)
        try:
            answer = await self._read(alias)
        except BaseException:
            self._known.pop(alias, None)  # a bug, or the end: the next who asks reads anew
            raise
        known = self._known[alias] = self._noted(answer, before)
        has_moved = alias in self._moved
        pause = self._rhythm.closest_seconds if has_moved else self._rhythm.pause(known.failures, self._fraction())
        self._schedule(alias, known, pause)
        if before is not None and answer != before.answer and not isinstance(answer, Failure):
            self._told(alias)
        return known

    def _noted(self, answer: Any, before: _Known | None) -> _Known:  # noqa: ANN401 - see ask
        """The answer with what belongs to it."""
        failures = (before.failures if before else 0) + 1 if isinstance(answer, Failure) else 0
        return _Known(answer, read_at=_now(), asked_at=before.asked_at if before else _now(), failures=failures)

    def _schedule(self, alias: Hashable, known: _Known, seconds: float) -> None:
        """The next reading, in place of any other that was planned."""
        _cancel(known)
        known.timer = asyncio.get_running_loop().call_later(seconds, self._on_timer, alias)

    def _on_timer(self, alias: Hashable) -> None:
        """Read again, or forget what nobody asks for any more."""
        known = self._known[alias]
        if _now() - known.asked_at > self._rhythm.patience_seconds:
            del self._known[alias]
        else:
            self._flights.begin(alias, lambda: self._look(alias))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _cancel(known: _Known) -> None:
    if known.timer is not None:
        known.timer.cancel()
