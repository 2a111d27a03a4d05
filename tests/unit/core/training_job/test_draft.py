"""The newest attempt is known from status and from Jobs, whatever a crash or a spoiled label did to either."""

from typing import Any

import pytest

from builders import NOW, make_context, make_job, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.observed import Observed

RESOURCE = make_training_job().build()


def draft_of(attempts: list[dict[str, Any]] | None = None, *jobs: dict[str, Any]) -> Draft:
    resource = RESOURCE | {"status": {"attempts": attempts}} if attempts else RESOURCE
    spec = TrainingJobSpec.model_validate(resource["spec"])
    return Draft(resource, spec, Observed(make_context(), jobs=jobs), NOW)


def record(number: int) -> dict[str, Any]:
    return {"number": number, "job": f"job-{number}", "startTime": "2026-01-01T00:00:00Z", "runID": f"run-{number}"}


def test_before_the_first_there_is_none() -> None:
    assert draft_of().newest_number() == 0
    assert draft_of().newest_record() is None


def test_the_newest_may_be_told_by_its_job_only() -> None:
    draft = draft_of([record(1)], make_job(RESOURCE, 2).build())
    newest = draft.newest_record()
    assert newest is not None
    assert (newest["number"], newest["runID"]) == (2, "run-2")
    assert draft.status["tracking"]["runID"] == "run-2"
    assert [item["number"] for item in draft.status["attempts"]] == [2, 1]


def test_the_newest_may_be_told_by_status_only() -> None:
    newest = draft_of([record(2), record(1)]).newest_record()
    assert newest is not None
    assert newest["runID"] == "run-2"


@pytest.mark.parametrize("label", ["9", "0", "-1", "x", "", "٣"])
def test_a_spoiled_label_changes_nothing(label: str) -> None:
    job = make_job(RESOURCE, 1).changed("metadata", "labels", "modelyard.io/attempt", to=label).build()
    assert draft_of(None, job).newest_number() == 1


def test_a_job_of_another_name_is_no_attempt() -> None:
    job = make_job(RESOURCE, 1).changed("metadata", "name", to="digits-other-7").build()
    assert draft_of(None, job).newest_number() == 0


def test_the_newest_ten_attempts_are_kept() -> None:
    draft = draft_of([record(number) for number in range(10, 0, -1)])
    draft.add_record(record(11))
    assert [item["number"] for item in draft.status["attempts"]] == list(range(11, 1, -1))
    assert draft.status["attempt"] == 11


def test_the_status_that_was_read_is_not_changed() -> None:
    attempts = [record(1)]
    draft = draft_of(attempts)
    draft.add_record(record(2))
    assert attempts == [record(1)]
