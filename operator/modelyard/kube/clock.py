"""The API server's time, which all replicas share whatever the clocks of their nodes say."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_STEP_SECONDS = 2.0
"""An answer that is this much earlier than expected tells that the server's own clock was set back."""


def _local_now() -> datetime:
    return datetime.now(UTC)


class ServerClock:
    """Reads the Date of every answer, and lets a clock that nobody sets count on from there.

    That Date is in whole seconds and a moment old when it arrives: this clock is up to a second late and never early.
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, local: Callable[[], datetime] = _local_now
    ) -> None:
        self._monotonic = monotonic
        self._local = local
        self._offset: float | None = None
        """The server's time less the monotonic one, in seconds."""

    def note(self, date: str | None) -> None:
        """Take in the Date header of an answer that has just come."""
        try:
            offset = parsedate_to_datetime(date or "").timestamp() - self._monotonic()
        except (ValueError, OverflowError):
            return
        if self._offset is None or offset > self._offset or offset < self._offset - _STEP_SECONDS:
            self._offset = offset

    def now(self) -> datetime:
        """The time; this machine's before the first answer."""
        if self._offset is None:
            return self._local()
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)
