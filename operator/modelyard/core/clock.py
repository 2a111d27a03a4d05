"""Times as Kubernetes writes them: UTC, whole seconds. The current time is always an argument."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """RFC 3339 with a Z, as in metadata.creationTimestamp."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """Parse RFC 3339.

    Raises:
        ValueError: it is not a time.
    """
    return datetime.fromisoformat(text)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch, as MLflow keeps times."""
    return int(moment.timestamp() * 1000)
