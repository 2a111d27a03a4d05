"""A circuit breaker: a server that does not answer is not asked by everybody."""

from collections.abc import Callable

from modelyard.core.plan import Failure


class CircuitBreaker:
    """Opens after a few failures in a row; then lets one question through at a time, with growing pauses between them.

    Not thread-safe: it belongs to the event loop.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        threshold: int = 3,
        first_pause_seconds: float = 1.0,
        longest_pause_seconds: float = 15.0,
    ) -> None:
        self._clock = clock
        self._threshold = threshold
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._failures = 0
        self._last: Failure | None = None
        self._probe_at = 0.0
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether questions are answered without asking."""
        return self._failures >= self._threshold

    def admit(self) -> Failure | None:
        """Let a question pass (None), or give the answer that the last one got. Whoever passes must report how it went."""
        if not self.is_open:
            return None
        if self._is_probing or self._clock() < self._probe_at:
            return self._last
        self._is_probing = True
        return None

    def succeeded(self) -> None:
        """The server answered, whatever it said."""
        self._failures = 0
        self._is_probing = False

    def failed(self, failure: Failure) -> None:
        """The server did not answer."""
        self._failures += 1
        self._last = failure
        self._is_probing = False
        if self.is_open:
            self._probe_at = self._clock() + self._pause()

    def abandoned(self) -> None:
        """Nobody waited for the answer: the next question may try."""
        self._is_probing = False

    def _pause(self) -> float:
        """Doubles with each failure since it opened; the exponent is bounded so that days of failures do not overflow."""
        doublings = min(self._failures - self._threshold, 16)
        return min(self._longest_pause, self._first_pause * 2.0**doublings)
