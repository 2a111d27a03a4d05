"""The keys that want to be looked at: each once, one at a time, later after a failure."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 300.0
_MOST_DOUBLINGS = 10
_JITTER = 0.5
_FLOOR_JITTER = 0.1

K = TypeVar("K", bound=Hashable)


class Timer(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """Let it not happen."""
        ...

    def when(self) -> float:
        """When it happens, on the clock that made it."""
        ...


class Clock(Protocol):
    """What the queue needs of an event loop."""

    def time(self) -> float:
        """Seconds, only ever growing."""
        ...

    def call_at(self, when: float, callback: Callable[[K], None], key: K, /) -> Timer:
        """Call it then."""
        ...


class Gauges(Protocol):
    """Told what happens in the queue."""

    def added(self, depth: int) -> None:
        """A key came in."""
        ...

    def taken(self, depth: int, waited_seconds: float) -> None:
        """A key went out."""
        ...

    def retried(self) -> None:
        """A key failed and will come again."""
        ...


class NoGauges:
    """Tells nobody."""

    def added(self, depth: int) -> None:
        """A key came in."""

    def taken(self, depth: int, waited_seconds: float) -> None:
        """A key went out."""

    def retried(self) -> None:
        """A key failed and will come again."""


class WorkQueue(Generic[K]):
    """A key that is added while it waits is there once; added while it is worked on, it comes again afterwards.

    Used by one event loop, from its own thread.
    """

    def __init__(
        self, clock: Clock, gauges: Gauges | None = None, fraction: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._gauges = gauges or NoGauges()
        self._fraction = fraction
        self._ready: deque[K] = deque()
        self._added_at: dict[K, float] = {}
        """Keys that want to be looked at, also those that are worked on right now; with the time they came."""
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, Timer] = {}
        self._not_before: dict[K, float] = {}
        self._is_filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: K) -> None:
        """Let the key be looked at as soon as possible: at once, unless the API server asked to be left alone."""
        floor = self._not_before.get(key, 0.0)
        if floor > self._clock.time():
            self._schedule(key, floor)
            return
        self._not_before.pop(key, None)
        if key in self._added_at:
            return
        self._added_at[key] = self._clock.time()
        if key not in self._busy:
            self._push(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Let the key be looked at in so many seconds, or earlier where it was to be already."""
        if seconds <= 0:
            self.add(key)
        else:
            self._schedule(key, self._clock.time() + seconds)

    def retry(self, key: K, floor: float | None = None) -> float:
        """Let the key come again after a failure, each time later and never within `floor` seconds; how much later."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        doubled = FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
        delay = min(doubled * (1 + _JITTER * self._fraction()), LONGEST_DELAY_SECONDS)
        if floor:
            delay = max(delay, floor * (1 + _FLOOR_JITTER * self._fraction()))
            self._not_before[key] = self._clock.time() + delay
        self._gauges.retried()
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key was looked at with success: its next failure is its first."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; the caller has to call `done` with it. What was to happen later is its to decide anew."""
        while not self._ready:
            self._is_filled.clear()
            await self._is_filled.wait()
        key = self._ready.popleft()
        self._busy.add(key)
        self._cancel_timer(key)
        self._gauges.taken(len(self._ready), self._clock.time() - self._added_at.pop(key))
        return key

    def done(self, key: K) -> None:
        """The key is no longer worked on."""
        self._busy.discard(key)
        if key in self._added_at:
            self._push(key)

    def _push(self, key: K) -> None:
        """Make the key the last of those that are ready."""
        self._ready.append(key)
        self._gauges.added(len(self._ready))
        self._is_filled.set()

    def _schedule(self, key: K, when: float) -> None:
        """Have one timer per key, the earliest."""
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= when:
            return
        self._cancel_timer(key)
        self._timers[key] = self._clock.call_at(when, self._on_timer, key)

    def _on_timer(self, key: K) -> None:
        """The key's time has come."""
        self._timers.pop(key, None)
        # Timers are rounded: a floor that ends within the same instant is over.
        if self._not_before.get(key, 0.0) <= self._clock.time() + 0.001:
            self._not_before.pop(key, None)
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        """Forget the key's timer."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
