"""A circuit breaker: a server that does not answer is not asked by everybody."""

from collections.abc import Callable
from dataclasses import dataclass

from modelyard.core.plan import Failure


@dataclass(frozen=True)
class Pauses:
    """When a breaker opens, and how long it waits between probes."""

    after_failures: int = 3
    first_seconds: float = 1.0
    longest_seconds: float = 10.0
    while_probing_seconds: float = 30.0
    """How long a probe may take before another one is let through."""


class CircuitBreaker:
    """Opens after a few failures in a row; then lets one question through at a time, with growing pauses between them.

    Not thread-safe: it belongs to the event loop.
    """

    def __init__(self, clock: Callable[[], float], pauses: Pauses) -> None:
        self._clock = clock
        self._pauses = pauses
        self._failures = 0
        self._last: Failure | None = None
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether questions are answered without asking."""
        return self._failures >= self._pauses.after_failures

    def admit(self) -> Failure | None:
        """Let a question pass (None), or give the answer that the last one got. Whoever passes reports how it went."""
        now = self._clock()
        if self.is_open and now < self._probe_at:
            return self._last
        if self.is_open:
            self._probe_at = now + self._pauses.while_probing_seconds
        return None

    def succeeded(self) -> None:
        """The server answered, whatever it said."""
        self._failures = 0

    def failed(self, failure: Failure) -> None:
        """The server did not answer."""
        self._failures += 1
        self._last = failure
        if self.is_open:
            self._probe_at = self._clock() + self._pause()

    def _pause(self) -> float:
        """Doubles with each failure since it opened; the exponent is bounded: days of failures must fit a float."""
        doublings = min(self._failures - self._pauses.after_failures, 16)
        return min(self._pauses.longest_seconds, self._pauses.first_seconds * 2.0**doublings)
