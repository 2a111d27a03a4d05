"""When an attempt that did not succeed is followed by another."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.training_retry import Retry
from modelyard.core.training_job import project, source
from modelyard.core.training_job.outcome import DISRUPTIONS

MOST_DISRUPTIONS = 100
"""Attempts that the cluster may end before it is given up: a pod that evicts itself each time must come to an end."""

_IN_VAIN = {source.NAME: (source.INVALID,), project.NAME: (project.INVALID,)}
"""What the operator's own init containers say where every attempt would end as this one."""


def why_not(retry: Retry, status: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """The reason why no attempt follows this newest one; None when one may."""
    if record.get("reason") in DISRUPTIONS:
        return "DisruptionLimitExceeded" if status.get("disruptions", 0) > MOST_DISRUPTIONS else None
    if _is_final(retry, record):
        return "NonRetryableExitCode"
    if record.get("reason") in _IN_VAIN.get(record.get("container", ""), ()):
        return str(record["reason"])
    return "RetryLimitExceeded" if status.get("failures", 0) > retry.limit else None


def count(status: dict[str, Any], reason: str) -> None:
    """Count an end that was no success: against the limit, or as the cluster's doing."""
    kind = "disruptions" if reason in DISRUPTIONS else "failures"
    status[kind] = status.get(kind, 0) + 1


def next_attempt_at(retry: Retry, status: Mapping[str, Any], uid: str, now: datetime) -> datetime:
    """When the next attempt begins."""
    ends = status.get("failures", 0) + status.get("disruptions", 0)
    return now + timedelta(seconds=wait_seconds(retry, ends, fraction_of(uid, ends)))


def wait_seconds(retry: Retry, ends: int, fraction: float) -> int:
    """Seconds to wait after this many ends: doubled each time up to the most; between half of it and all is taken."""
    doubled: int = retry.backoff.initial_seconds * 2 ** min(max(ends - 1, 0), 30)
    most = min(doubled, retry.backoff.max_seconds)
    return most - int(most * fraction / 2)


def fraction_of(uid: str, ends: int) -> float:
    """A number from 0 up to 1: the same for the same object and end, another for others that failed with it."""
    digest = hashlib.sha256(f"{uid}/{ends}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


def _is_final(retry: Retry, record: Mapping[str, Any]) -> bool:
    """Whether the trainer itself said, by its exit code, that another attempt would end as this one."""
    is_own_word = record.get("reason") == "Error" and not record.get("container")
    return is_own_word and record.get("exitCode") in (retry.non_retryable_exit_codes or [])
