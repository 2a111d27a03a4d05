"""When a failed attempt is followed by another."""

from datetime import datetime, timedelta

from modelyard.api.training_job import Retry


def may_retry(retry: Retry, failures: int) -> bool:
    """Whether another attempt follows this many failed ones."""
    return failures <= retry.limit


def wait_seconds(retry: Retry, failures: int) -> int:
    """Seconds to wait after this many failures: doubled each time, up to the most."""
    doubled: int = retry.backoff.initial_seconds * 2 ** min(failures - 1, 30)
    return min(doubled, retry.backoff.max_seconds)


def next_attempt_at(retry: Retry, failures: int, ended_at: datetime) -> datetime:
    """When the next attempt begins."""
    return ended_at + timedelta(seconds=wait_seconds(retry, failures))
