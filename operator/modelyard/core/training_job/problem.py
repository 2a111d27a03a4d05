"""One word for a table: what keeps a TrainingJob from doing well, so that of a thousand those in need stand out."""

from collections.abc import Mapping
from typing import Any

_OF_ITS_LAST_ATTEMPT = frozenset(
    {"DisruptionLimitExceeded", "PendingDeadlineExceeded", "Retrying", "RetryLimitExceeded"}
)
"""States that tell less than how the last attempt ended does."""


def problem_of(
    conditions: Mapping[str, Mapping[str, Any]], newest: Mapping[str, Any], trouble: str | None
) -> str | None:
    """The reason to show; None while all is well, and for what a person stopped on purpose."""
    complete = conditions.get("Complete") or {}
    state = str(complete.get("reason"))
    if complete.get("status") == "True" or state in {"Queued", "Suspended"}:
        return None
    if state in _OF_ITS_LAST_ATTEMPT:
        return str(newest.get("reason") or state)
    if "Failed" in conditions:
        return state
    return trouble or _refused(conditions)


def _refused(conditions: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What MLflow answered, or that it does not."""
    for kind in ("Stalled", "Tracked", "Registered"):
        found = conditions.get(kind) or {}
        if found.get("status") == ("True" if kind == "Stalled" else "False"):
            return str(found["reason"])
    return None
