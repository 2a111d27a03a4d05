"""Takes keys from the queue and reconciles them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelyard.core.plan import Key
from modelyard.engine.logs import in_reconcile
from modelyard.engine.metrics import Metrics
from modelyard.engine.queue import WorkQueue
from modelyard.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

LONGEST_RECONCILE_SECONDS = 120.0
"""Every call inside has its own, shorter limit: this one is for what nobody thought of."""
_ASK_AGAIN_SECONDS = 1.0

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Does an object's next step; returns the seconds until it wants to be looked at again."""


class Workers:
    """Any number of `run` work side by side, never two of them on the same key."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconciles: Mapping[str, Reconcile],
        metrics: Metrics,
        may_work: Callable[[], bool],
        generation: Callable[[Key], int | None],
    ) -> None:
        self._queue = queue
        self._reconciles = reconciles
        self._metrics = metrics
        self._may_work = may_work
        self._generation = generation
        self._active = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            key = await self._queue.get()
            try:
                with self._counted(key):
                    await self._work(key)
            finally:
                self._queue.done(key)

    async def drained(self) -> None:
        """Wait until no worker has a key."""
        await self._is_idle.wait()

    async def _work(self, key: Key) -> None:
        """One reconcile, and when the next one is due."""
        if not self._may_work():
            self._queue.add_after(key, _ASK_AGAIN_SECONDS)
            return
        with in_reconcile(key, self._generation(key)):
            result = await self._reconcile(key)
        self._metrics.reconciles.labels(key.kind, result).inc()
        if result == "error":
            self._metrics.reconcile_errors.labels(key.kind).inc()

    async def _reconcile(self, key: Key) -> str:
        """The result as controller-runtime names it."""
        try:
            async with asyncio.timeout(LONGEST_RECONCILE_SECONDS):
                again = await self._reconciles[key.kind](key)
        except ApiError as error:
            delay = self._queue.retry(key, error.retry_after)
            if error.recheck_after is not None:
                self._queue.add_after(key, error.recheck_after)
            log.warning("to be tried again in %.1f s: %s", delay, error)
            return "error"
        except Exception:
            # The one broad except: a bug in one reconcile must not stop the others. It is shown whole and counted.
            delay = self._queue.retry(key)
            log.exception("a bug; to be tried again in %.1f s", delay)
            return "error"
        self._queue.forget(key)
        if again is None:
            return "success"
        self._queue.add_after(key, again)
        return "requeue_after"

    @contextmanager
    def _counted(self, key: Key) -> "Iterator[None]":
        """Metrics of one piece of work."""
        started = time.monotonic()
        self._active += 1
        self._is_idle.clear()
        self._metrics.active_workers.labels(key.kind).inc()
        try:
            yield
        finally:
            self._active -= 1
            if not self._active:
                self._is_idle.set()
            seconds = time.monotonic() - started
            self._metrics.active_workers.labels(key.kind).dec()
            self._metrics.reconcile_seconds.labels(key.kind).observe(seconds)
            self._metrics.work_seconds.observe(seconds)
