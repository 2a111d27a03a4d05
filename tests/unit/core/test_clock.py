"""Times are UTC and whole seconds, as Kubernetes writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from modelyard.core import clock

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_a_time_is_written_in_utc_and_whole_seconds() -> None:
    east = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert clock.to_text(MOMENT) == clock.to_text(east) == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05.000000Z"])
def test_a_time_is_read_back(text: str) -> None:
    assert clock.from_text(text) == MOMENT.replace(microsecond=0)


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        clock.from_text("soon")


def test_mlflow_gets_milliseconds() -> None:
    assert clock.to_milliseconds(MOMENT) == 1767323045678
