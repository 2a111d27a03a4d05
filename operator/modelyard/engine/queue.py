"""The work queue: each key at most once in it and at most once at work, with back-off for those that fail."""

import asyncio
import random
from collections.abc import Callable

from modelyard.core.plan import Key

_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 300.0


class WorkQueue:
    """Keys to reconcile. A key added while it is at work comes again afterwards."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._dirty: dict[Key, float] = {}
        """Key → loop time at which it was added."""
        self._busy: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._jitter = jitter
        self.adds = 0
        self.retries = 0

    def __len__(self) -> int:
        return len(self._dirty)

    def add(self, key: Key) -> None:
        """Wake a key now."""
        self._cancel_timer(key)
        if key in self._dirty:
            return
        self.adds += 1
        self._dirty[key] = asyncio.get_running_loop().time()
        if key not in self._busy:
            self._ready.put_nowait(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Wake a key later; of several times the earliest counts."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= due:
            return
        self._cancel_timer(key)
        self._timers[key] = loop.call_at(due, self.add, key)

    def retry(self, key: Key, at_least: float = 0.0) -> float:
        """Wake a failed key after a back-off that doubles each time; returns the seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.retries += 1
        backoff = min(_LAST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 20))
        seconds = max(at_least, backoff * (0.5 + self._jitter() / 2))
        self.add_after(key, seconds)
        return seconds

    def forget(self, key: Key) -> None:
        """A key succeeded: its next failure starts the back-off anew."""
        self._failures.pop(key, None)

    async def take(self) -> tuple[Key, float]:
        """The next key, and the seconds it waited; it is at work until `done`."""
        key = await self._ready.get()
        added = self._dirty.pop(key)
        self._busy.add(key)
        return key, asyncio.get_running_loop().time() - added

    def done(self, key: Key) -> None:
        """A key is no longer at work."""
        self._busy.discard(key)
        if key in self._dirty:
            self._ready.put_nowait(key)

    def _cancel_timer(self, key: Key) -> None:
        """Forget a later wake-up."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
