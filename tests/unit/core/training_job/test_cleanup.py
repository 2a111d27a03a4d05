"""An object that is over goes when its time has come, and not before."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, make_training_job, seconds_ago
from modelyard.core.training_job import cleanup


@pytest.mark.parametrize(
    ("ttl", "ended", "left"),
    [(None, 10, None), (60, None, None), (60, 10, 50), (0, 0, 0), (60, 3600, -3540), (60, -300, 360)],
)
def test_its_time_counts_from_its_end(ttl: int | None, ended: float | None, left: float | None) -> None:
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    status: dict[str, Any] = {} if ended is None else {"completionTime": seconds_ago(ended)}
    resource = make_training_job().with_spec(**spec).with_status(status).build()
    assert cleanup.seconds_left(resource, NOW) == left


def test_a_clock_that_was_set_back_makes_it_late_and_not_early() -> None:
    resource = make_training_job().with_spec(ttlSecondsAfterFinished=60)
    over = resource.with_status({"completionTime": seconds_ago(59)}).build()
    left = cleanup.seconds_left(over, NOW - timedelta(hours=1))
    assert left is not None
    assert left > 3600
