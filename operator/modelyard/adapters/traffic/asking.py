"""Asks model servers' pods, all at once and none for long."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp

from modelyard.adapters.traffic import body
from modelyard.core.traffic import PodAddress

MOST_SECONDS = 5.0
"""For all pods of one question."""

_PORT = 6000
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_AT_ONCE = 16

T = TypeVar("T")


class PodAsker:
    """Their port for the operator, over one session; `pod_url` is a template of `ip` and `port`."""

    def __init__(self, session: aiohttp.ClientSession, pod_url: str) -> None:
        self._session = session
        self._pod_url = pod_url
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def ask_each(
        self,
        pods: Sequence[PodAddress],
        ask: Callable[[PodAddress], Coroutine[Any, Any, T]],
        late: Callable[[PodAddress, str], T],
    ) -> dict[str, T]:
        """What each of them tells, by its UID; `late` says what that is of one that takes longer than this."""
        tasks = {pod: asyncio.ensure_future(ask(pod)) for pod in pods}
        if tasks:
            _, overdue = await asyncio.wait(tasks.values(), timeout=MOST_SECONDS)
            for task in overdue:
                task.cancel()
        limit = f"{MOST_SECONDS:g} s"
        return {
            pod.uid: task.result() if task.done() and not task.cancelled() else late(pod, limit)
            for pod, task in tasks.items()
        }

    def url(self, pod: PodAddress, path: str) -> str:
        """Where a path of a pod is reached."""
        return self._pod_url.format(ip=f"[{pod.ip}]" if ":" in pod.ip else pod.ip, port=_PORT) + path

    async def request(
        self, url: str, *, json: Mapping[str, Any] | None = None, key: str | None = None
    ) -> tuple[int, bytes]:
        """Status and body of a small answer; with `json` it is posted, with `key` as its bearer.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: nobody answers.
            ValueError: the answer is larger than any that is expected.
        """
        method = "GET" if json is None else "POST"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        how: dict[str, Any] = {"timeout": _TIMEOUT, "headers": headers, "allow_redirects": False}
        async with self._slots, self._session.request(method, url, json=json, **how) as response:
            return response.status, await body.read(response)
