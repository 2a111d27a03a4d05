"""Whether two versions answered the same requests alike: fingerprints of answers, brought together by request."""

import base64
import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_MOST_WAITING = 8192
"""Answers of one version that are kept until the other one's come."""
_MOST_BYTES = 2 << 20
"""Of these together."""
_BYTES_PER_VALUE = 4


@dataclass(frozen=True)
class Answer:
    """What a server tells of one answer."""

    request: str
    """Names the request; the same on every server with the same key."""
    form: str
    rows: int
    """How many predictions; 0: it refused, or failed."""
    cells: bytes
    """For each value two numbers of 16 bits, of which one at least is the same for values that count as the same."""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.request) + len(self.form) + len(self.cells)

    @classmethod
    def of(cls, told: Any) -> "Answer":  # noqa: ANN401 - any JSON
        """Read an item of what a server tells.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(told, list) or len(told) != 4:
            raise ValueError("an answer has four parts")
        request, form, rows, cells = told
        if not all(isinstance(text, str) and len(text) < 1 << 20 for text in (request, form, cells)):
            raise ValueError("an answer's request, form and cells are text")
        if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= 4096:
            raise ValueError("an answer has at most 4096 rows")
        packed = base64.b64decode(cells, validate=True)
        if len(packed) % (_BYTES_PER_VALUE * max(rows, 1)):
            raise ValueError("an answer's rows are not of one length")
        return cls(request, form, rows, packed)


@dataclass
class Joined:
    """Answers that found their counterpart."""

    pairs: int = 0
    differing: int = 0


class Waiting:
    """Answers by request, the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self._by_request: dict[str, deque[Answer]] = {}
        self._number = self._bytes = 0

    def add(self, answer: Answer) -> None:
        """One more waits."""
        self._by_request.setdefault(answer.request, deque()).append(answer)
        self._number += 1
        self._bytes += answer.size
        while self._number > _MOST_WAITING or self._bytes > _MOST_BYTES:
            self.take(next(iter(self._by_request)))

    def take(self, request: str) -> Answer | None:
        """The one that has waited longest for this request."""
        waiting = self._by_request.get(request)
        if not waiting:
            return None
        self._number -= 1
        first = waiting.popleft()
        self._bytes -= first.size
        if not waiting:
            del self._by_request[request]
        return first

    def drain(self) -> list[Answer]:
        """All of them, which wait no more."""
        found = [answer for waiting in self._by_request.values() for answer in waiting]
        self._by_request.clear()
        self._number = self._bytes = 0
        return found


@dataclass
class Joiner:
    """Answers of two versions to the same requests, in pairs; those that come first wait, a bounded number of them.

    A body that was sent several times makes as many pairs as both versions answered it.
    """

    stable: Waiting = field(default_factory=Waiting)
    canary: Waiting = field(default_factory=Waiting)

    def join(self, stable: Iterable[Answer], canary: Iterable[Answer]) -> Joined:
        """The pairs that these make, with each other and with what waited."""
        found = Joined()
        for answer in stable:
            self.stable.add(answer)
        # Copies may be answered, or read, before the request itself: those that came before are looked at again.
        for answer in [*self.canary.drain(), *canary]:
            other = self.stable.take(answer.request)
            if other is None:
                self.canary.add(answer)
            else:
                _count(found, other, answer)
        return found


def _count(found: Joined, stable: Answer, canary: Answer) -> None:
    """Add a pair of answers. Where the stable version failed there is nothing that the other could be compared with."""
    found.pairs += stable.rows
    found.differing += _differing(stable, canary)


def _differing(stable: Answer, canary: Answer) -> int:
    """How many of the stable version's predictions the other did not make."""
    if (stable.form, stable.rows, len(stable.cells)) != (canary.form, canary.rows, len(canary.cells)):
        return stable.rows
    pairs = zip(struct.iter_unpack("<HH", stable.cells), struct.iter_unpack("<HH", canary.cells), strict=True)
    is_same = [one == other or two == another for (one, two), (other, another) in pairs]
    width = len(is_same) // max(stable.rows, 1)
    return sum(not all(is_same[row * width : (row + 1) * width]) for row in range(stable.rows))
