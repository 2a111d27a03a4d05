"""Times as Kubernetes writes them: UTC, whole seconds. The current time is always an argument."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """RFC 3339 with a Z, as in metadata.creationTimestamp."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_precise_text(moment: datetime) -> str:
    """RFC 3339 with milliseconds, for what is counted from: a pause is not a second shorter than it says."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Parse RFC 3339.

    Raises:
        ValueError: it is not a time.
    """
    return datetime.fromisoformat(text)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch, as MLflow keeps times."""
    return int(moment.timestamp() * 1000)
