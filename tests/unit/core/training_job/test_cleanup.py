"""An object that is over goes when its time has come, and not before."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, make_context, make_training_job, seconds_ago
from modelyard.core.plan import Plan
from modelyard.core.training_job import cleanup
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan


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


def invalid(since: float, ttl: int | None = 60, **more: Any) -> dict[str, Any]:
    """A TrainingJob that cannot begin, and was told so some time ago."""
    stalled = {"type": "Stalled", "status": "True", "reason": "InvalidSpec", "lastTransitionTime": seconds_ago(since)}
    status = {"problem": "InvalidSpec", "observedGeneration": 1, "conditions": [stalled]} | more.pop("status", {})
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    return make_training_job().with_spec(**spec, **more).with_status(status).build()


@pytest.mark.parametrize(
    ("resource", "left"),
    [
        (invalid(10), 590),
        (invalid(10, ttl=0), 590),
        (invalid(700, ttl=3600), 2900),
        (invalid(601), -1),
        (invalid(601, ttl=None), None),
        (invalid(601, suspend=True), None),
        (invalid(601, status={"problem": "Unschedulable"}), None),
        (invalid(601, status={"observedGeneration": 0}), None),
    ],
)
def test_what_cannot_begin_stays_ten_minutes_at_least_and_while_it_is_suspended(
    resource: dict[str, Any], left: float | None
) -> None:
    assert cleanup.seconds_left(resource, NOW) == left


def planned(resource: dict[str, Any], live: dict[str, Any] | None = None) -> Plan:
    answers: dict[Any, Any] = {}
    while True:
        found = plan(resource, Observed(make_context(), answers=answers), NOW)
        if not found.questions:
            return found
        answers |= dict.fromkeys(found.questions, live)


BAD: dict[str, Any] = {"podTemplate": {"spec": {"hostNetwork": True}}}


def test_what_cannot_begin_goes_once_its_time_has_come() -> None:
    resource = invalid(601, **BAD)
    (ref,) = planned(resource, resource).delete
    assert (ref.kind, ref.name, ref.uid) == ("TrainingJob", "digits", resource["metadata"]["uid"])


def test_what_was_mended_just_now_stays() -> None:
    live = invalid(601, **BAD)
    live["metadata"]["generation"] = 2
    assert planned(invalid(601, **BAD), live).delete == ()


def test_it_is_looked_at_when_its_time_will_come() -> None:
    assert planned(make_training_job().with_spec(ttlSecondsAfterFinished=900, **BAD).build()).recheck_after == 900
    assert planned(make_training_job().with_spec(**BAD).build()).recheck_after is None


def test_its_time_begins_anew_with_another_spec() -> None:
    edited = invalid(601, **BAD)
    edited["metadata"]["generation"] = 2
    found = planned(edited)
    assert found.delete == ()
    assert found.recheck_after == 600
