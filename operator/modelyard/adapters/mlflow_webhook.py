"""Receives MLflow's webhooks: a hint that an alias moved, which only shortens the wait for its next reading."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
from aiohttp import web

from modelyard.adapters.mlflow.deliveries import MOST_BYTES, Delivery, Judge, Verdict, secrets_in
from modelyard.core.tracking import Moved

PATH = "/mlflow"
_FORWARDED = "X-Modelyard-Forwarded"
_KEPT_HEADERS = ("X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature", "Content-Type")
_BODY_SECONDS = 5.0
_FORWARD_TIMEOUT = aiohttp.ClientTimeout(total=2)

# MLflow tries again after 429, 500, 502, 503 and 504, and after nothing else.
_STATUS = {
    Verdict.UNSIGNED: 401,
    Verdict.STALE: 401,
    Verdict.MALFORMED: 400,
    Verdict.NOBODY_LEADS: 503,
    Verdict.TOO_MANY: 429,
}


class Leadership(Protocol):
    """Which replica has something to wake."""

    @property
    def is_leading(self) -> bool:
        """Whether this one has."""
        ...

    @property
    def leader_url(self) -> str:
        """Where the one that has receives webhooks; empty while nobody is known to."""
        ...


class Bucket:
    """Lets so many requests a second through, and some more at once."""

    def __init__(self, per_second: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._now = now
        self._left = burst
        self._at = now()

    def admits(self) -> bool:
        """Whether one more may pass."""
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Receiver:
    """One delivery at a time: judged by every replica, acted on by the one that leads."""

    def __init__(
        self,
        secret_file: Path,
        leadership: Leadership,
        moved: Callable[[Moved], None],
        count: Callable[[str], None],
        session: aiohttp.ClientSession,
    ) -> None:
        self._judge = Judge(lambda: secrets_in(secret_file), time.time)
        self._leadership = leadership
        self._moved = moved
        self._count = count
        self._session = session
        self._bucket = Bucket(per_second=20, burst=100)

    async def receive(self, request: web.Request) -> web.Response:
        """The answer that makes MLflow try again only where that can help."""
        verdict = await self._deal_with(request)
        self._count(verdict.value)
        status = _STATUS.get(verdict, 200)
        headers = {"Retry-After": "1"} if status in {429, 503} else None
        return web.Response(text=verdict.value, status=status, headers=headers)

    async def _deal_with(self, request: web.Request) -> Verdict:
        """What becomes of it."""
        if not self._bucket.admits():
            return Verdict.TOO_MANY
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                delivery = Delivery.of(request.headers, await request.read())
        except (TimeoutError, web.HTTPRequestEntityTooLarge):
            return Verdict.MALFORMED
        found = self._judge.judge(delivery)
        if not isinstance(found, Moved):
            return found
        verdict = await self._act(found, request, delivery.body)
        if verdict is not Verdict.NOBODY_LEADS:
            self._judge.remember(delivery)
        return verdict

    async def _act(self, found: Moved, request: web.Request, body: bytes) -> Verdict:
        """Wake whom it concerns, or pass it on to the replica that can; it is passed on once."""
        if self._leadership.is_leading:
            self._moved(found)
            return Verdict.ACCEPTED
        url = self._leadership.leader_url
        if not url or _FORWARDED in request.headers:
            return Verdict.NOBODY_LEADS
        kept = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        try:
            async with self._session.post(
                url + PATH, data=body, headers=kept | {_FORWARDED: "1"}, timeout=_FORWARD_TIMEOUT, allow_redirects=False
            ) as answer:
                return Verdict.FORWARDED if answer.status == 200 else Verdict.NOBODY_LEADS
        except (TimeoutError, aiohttp.ClientError, OSError):
            return Verdict.NOBODY_LEADS


@asynccontextmanager
async def served(host: str, port: int, receiver: Receiver) -> AsyncIterator[None]:
    """Receive on this port while the block runs."""
    application = web.Application(client_max_size=MOST_BYTES)
    application.router.add_post(PATH, receiver.receive)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
