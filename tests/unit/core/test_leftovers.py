"""Runs that nobody will end any more are ended; those that somebody will are left alone."""

from datetime import UTC, datetime

import pytest

from builders import make_context
from modelyard.core.tracking import AttemptIdentity, EndRun, FindOpenRuns, OpenRun, RunStatus
from modelyard.core.training_job.leftovers import is_under_way, plan_orphans
from modelyard.core.training_job.observed import Observed

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CLOSED = {"reason": "Error", "runStatus": "FAILED"}


def job(*records: dict[str, object], complete: str = "False") -> dict[str, object]:
    return {
        "status": {
            "conditions": [{"type": "Complete", "status": complete}],
            "attempts": [{"runID": "a" * 32} | record for record in records],
        }
    }


@pytest.mark.parametrize(
    ("resource", "attempt", "expected"),
    [
        ({}, 1, True),  # its run is made before any status tells of it
        (job({"number": 1}), 1, True),
        (job({"number": 1} | CLOSED), 1, False),
        (job({"number": 1} | CLOSED), 2, True),
        (job({"number": 2}, {"number": 1} | CLOSED), 1, False),
        (job({"number": 3}), 1, False),  # forgotten, because only the newest ten are kept
        (job({"number": 1} | CLOSED, complete="True"), 1, False),
        (job({"number": 1} | CLOSED, complete="True"), 2, False),
    ],
)
def test_an_attempt_is_under_way_until_its_end_is_written(
    resource: dict[str, object], attempt: int, expected: bool
) -> None:
    assert is_under_way(resource, attempt) is expected


def test_only_runs_whose_attempt_is_over_are_ended() -> None:
    context = make_context()
    over, alive = (AttemptIdentity(context.cluster, uid, 1) for uid in ("gone", "here"))
    runs = (OpenRun("a" * 32, over), OpenRun("b" * 32, alive))
    observed = Observed(context, answers={FindOpenRuns(context.cluster): runs})
    plan = plan_orphans(observed, lambda attempt: attempt == alive, NOW)
    (question,) = plan.questions
    assert isinstance(question, EndRun)
    assert (question.run_id, question.status) == ("a" * 32, RunStatus.KILLED)
