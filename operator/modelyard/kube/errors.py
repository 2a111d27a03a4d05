"""What the API server, or the way to it, can answer other than what was asked for."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """The API server did not do what it was asked to do."""

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        """The HTTP status; 0 when there was no answer."""
        self.reason = reason
        """CamelCase, from the answer's Status object."""
        self.message = message
        self.retry_after = retry_after
        """Seconds that the server wants to be left alone."""
        self.recheck_after: float | None = None
        """Seconds after which the object that it was about wants to be looked at, however long the back-off is."""


class Unreachable(ApiError):
    """No answer, or half of one. A write may have been done all the same."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class Invalid(ApiError):
    """400 or 422: the object is not valid."""


class Unauthorized(ApiError):
    """401: the credentials are not accepted."""


class Forbidden(ApiError):
    """403: not permitted to this service account, or refused by quota or an admission policy."""


class NotFound(ApiError):
    """404: no such object, or no such kind."""


class Conflict(ApiError):
    """409: it exists already, or is not the version or the incarnation that was meant."""


class Gone(ApiError):
    """410: a list or a watch cannot be continued."""


class TooManyRequests(ApiError):
    """429: the server wants fewer requests."""


class ServerError(ApiError):
    """5xx."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: TooManyRequests,
}


_NOT_OF_ITS_KIND = ("failed to convert new object", "failed to create typed patch object")
"""How the API server begins, with 500, to tell that an applied object has a field of another type than its kind."""


def error_of(status: int, answer: Any, retry_after: str | None) -> ApiError:  # noqa: ANN401 - any JSON may come
    """The error that an answer other than 2xx is; `retry_after` is that header's value."""
    body = answer if isinstance(answer, dict) else {}
    reason = str(body.get("reason") or "Unknown")
    message = str(body.get("message") or answer or "the answer gives no reason")
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    if status == 500 and message.startswith(_NOT_OF_ITS_KIND):
        kind, reason = Invalid, "Invalid"
    return kind(status, reason, message, _seconds(retry_after) or _told_seconds(body))


def _told_seconds(body: Mapping[str, Any]) -> float | None:
    """Older servers say it inside the Status object."""
    details = body.get("details")
    seconds = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


def _seconds(header: str | None) -> float | None:
    """The header's seconds; its other form, a date, is not used by API servers."""
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None
