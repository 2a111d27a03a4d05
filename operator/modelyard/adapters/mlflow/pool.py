"""A bounded pool of threads that survives calls which never come back."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class ThreadPool:
    """Runs blocking work with a deadline; belongs to one event loop.

    A thread cannot be stopped from outside. One that outlives its deadline is counted as stuck until it ends, and when
    all of them are, they are left behind and new ones take over.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._executor = self._new_executor()
        self._stuck: set[Future[object]] = set()

    async def run(self, work: Callable[[], T], deadline_seconds: float) -> T:
        """The work's result.

        Raises:
            TimeoutError: it did not come in time, or no thread was free in time.
        """
        future = self._executor.submit(work)
        try:
            async with asyncio.timeout(deadline_seconds):
                return await asyncio.wrap_future(future)
        finally:
            if not future.done() and not future.cancel():
                self._note_stuck(future)

    def close(self) -> None:
        """Start nothing more; work under way is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _note_stuck(self, future: "Future[T]") -> None:
        self._stuck = {other for other in self._stuck if not other.done()}
        self._stuck.add(future)  # type: ignore[arg-type] # only whether it is done is ever asked
        if len(self._stuck) >= self._threads:
            self._executor.shutdown(wait=False, cancel_futures=False)
            self._executor = self._new_executor()
            self._stuck = set()

    def _new_executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="mlflow")
