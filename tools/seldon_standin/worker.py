"""Runs passes: one at a time for each object, again when it was woken meanwhile, later when it went wrong."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from tools.seldon_standin.cluster import ApiError
from tools.seldon_standin.reconcile import Cluster, RefusedError, reconcile, refuse

log = logging.getLogger(__name__)
Key: TypeAlias = tuple[str, str]
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 60.0


class Worker:
    """Wakes are cheap and may come in any number; `run_once` raises ApiError or RefusedError."""

    def __init__(
        self,
        run_once: Callable[[Key], Awaitable[None]],
        on_refusal: Callable[[Key, str], Awaitable[None]],
        at_once: int = 8,
    ) -> None:
        self._run_once = run_once
        self._on_refusal = on_refusal
        self._slots = asyncio.Semaphore(at_once)
        self._woken: dict[Key, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, key: Key) -> None:
        """Asks for a pass that starts after this moment."""
        if key in self._woken:
            self._woken[key].set()
            return
        self._woken[key] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    async def stop(self) -> None:
        """Ends all passes; what they left undone is done by the next process."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a pass ended by a bug; the next event or resync tries again", exc_info=error)

    async def _run(self, key: Key) -> None:
        woken, failures = self._woken[key], 0
        try:
            while True:
                woken.clear()
                failures = 0 if await self._succeeds(key) else failures + 1
                if failures:
                    await _wait(woken, min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**failures))
                elif not woken.is_set():
                    return
        finally:
            del self._woken[key]

    async def _succeeds(self, key: Key) -> bool:
        async with self._slots:
            try:
                await self._run_once(key)
            except RefusedError as error:
                return await self._refuses(key, str(error))
            except ApiError as error:
                log.warning("%s/%s: %s (%s)", *key, error, error.status)
                if error.is_the_users_fault:
                    await self._refuses(key, str(error))
                return False
            return True

    async def _refuses(self, key: Key, description: str) -> bool:
        try:
            await self._on_refusal(key, description)
        except ApiError as error:
            log.warning("%s/%s: cannot write its status: %s (%s)", *key, error, error.status)
            return False
        return True


def worker_for(cluster: Cluster, lag_seconds: float) -> Worker:
    """A worker whose passes are those of `reconcile`."""

    def run_once(key: Key) -> Coroutine[Any, Any, None]:
        return reconcile(cluster, *key, lag_seconds)

    def on_refusal(key: Key, description: str) -> Coroutine[Any, Any, None]:
        return refuse(cluster, *key, description)

    return Worker(run_once, on_refusal)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
