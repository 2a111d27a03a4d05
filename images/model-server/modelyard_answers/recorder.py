"""Keeps what is told of the newest answers, for as long as somebody asks."""

import base64
import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from modelyard_answers.fingerprint import NO_ANSWER, REQUEST_BYTES, Fingerprint, Grid, grid_of, take

VERSION = 1
"""Of what is told: two servers that tell differently cannot be compared."""
MOST_ANSWERS = 4096
MOST_CHARACTERS = 512 * 1024
"""Of all fingerprints that are kept."""
MOST_SECONDS = 4 * 3600
MOST_BODY = 1 << 20
"""A larger answer is left out: to read it would keep others waiting."""


@dataclass(frozen=True)
class Ask:
    """What somebody who holds the key wants: keep answers for so long, and tell those after one."""

    seconds: float
    tolerance: float | None = None
    epoch: str | None = None
    since: int | None = None

    @classmethod
    def of(cls, told: Any) -> "Ask":  # noqa: ANN401 - any JSON
        """Read what was sent.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(told, dict):
            raise ValueError("an object is expected")  # noqa: TRY004 - told to the client as what it sent wrong
        tolerance, since, epoch = (told.get(name) for name in ("tolerance", "since", "epoch"))
        seconds = _number(told.get("seconds"), "seconds")
        if since is not None and (isinstance(since, bool) or not isinstance(since, int)):
            raise ValueError("since is no whole number")
        within = None if tolerance is None else _number(tolerance, "tolerance")
        return cls(min(seconds, MOST_SECONDS), within, epoch if isinstance(epoch, str) else None, since)


@dataclass
class Recorder:
    """A bounded ring of fingerprints, which keeps none before it is first asked, and none once nobody asks any more."""

    key: bytes
    clock: Callable[[], float] = time.monotonic
    _until: float = float("-inf")
    _tolerance: float | None = None
    _grid: Grid | None = None
    _epoch: str = ""
    _next: int = 0
    _characters: int = 0
    _ring: deque[tuple[str, Fingerprint]] = field(default_factory=deque)

    def admits(self, offered: str) -> bool:
        """Whether somebody holds the key."""
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self.key)

    def is_on(self) -> bool:
        """Whether answers are kept now."""
        if self.clock() < self._until:
            return True
        self._ring.clear()
        return False

    def begin_request(self, path: str) -> "hashlib.blake2b":
        """What a request's body is fed to. Of its path the end counts: a version in it is no part of the question."""
        return hashlib.blake2b(path.rpartition("/")[2].encode(), key=self.key, digest_size=REQUEST_BYTES)

    def keep(self, request: bytes, body: bytes | None) -> None:
        """Keep one answer; None for one that is no prediction."""
        if not self.is_on() or (body is not None and len(body) > MOST_BODY):
            return
        found = NO_ANSWER if body is None else take(self.key, request, body, self._grid)
        self._ring.append((base64.b64encode(request).decode(), found))
        self._characters += len(found.cells)
        self._next += 1
        while len(self._ring) > MOST_ANSWERS or self._characters > MOST_CHARACTERS:
            self._characters -= len(self._ring.popleft()[1].cells)

    def tell(self, ask: Ask) -> dict[str, Any]:
        """The answers after the one asked for. Who asks for the first time gets none: they may be of any age."""
        if not self.is_on() or ask.tolerance != self._tolerance:
            self._begin(ask.tolerance)
        self._until = self.clock() + ask.seconds
        first = self._next - len(self._ring)
        since = self._next if ask.since is None or ask.epoch != self._epoch else max(0, min(ask.since, self._next))
        told = islice(self._ring, max(0, since - first), None)
        return {
            "version": VERSION,
            "epoch": self._epoch,
            "next": self._next,
            "lost": max(0, first - since),
            "answers": [[request, it.form, it.rows, it.cells] for request, it in told],
        }

    def _begin(self, tolerance: float | None) -> None:
        """Begin anew: what was kept before was not asked for, or is not comparable."""
        self._tolerance, self._grid = tolerance, grid_of(tolerance)
        self._epoch, self._next, self._characters = secrets.token_hex(8), 0, 0
        self._ring.clear()


def _number(told: Any, name: str) -> float:  # noqa: ANN401 - any JSON
    """A positive number.

    Raises:
        ValueError: it is none.
    """
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    if not is_number or not 0 < told < 1e15:
        raise ValueError(f"{name} is no positive number")
    return float(told)
