"""What the demo reads out of objects and tables."""

import pytest

from tools.demo.objects import is_true, refuse_failure, ticks, without_ages
from tools.demo.screen import DemoError


def job(kind: str, status: str, reason: str = "Some", message: str = "why") -> dict:
    condition = {"type": kind, "status": status, "reason": reason, "message": message}
    return {"kind": "TrainingJob", "metadata": {"name": "digits"}, "status": {"conditions": [condition]}}


def test_a_condition_holds_only_when_it_is_stated_to_be_true() -> None:
    assert is_true(job("Complete", "True"), "Complete")
    assert not is_true(job("Complete", "Unknown"), "Complete")
    assert not is_true({"metadata": {}}, "Complete")


@pytest.mark.parametrize("kind", ["Failed", "Stalled"])
def test_an_object_that_gave_up_ends_the_demo_with_its_own_words(kind: str) -> None:
    with pytest.raises(DemoError, match="TrainingJob digits: ModelMissing: the run logged no model"):
        refuse_failure(job(kind, "True", "ModelMissing", "the run logged no model"))


def test_an_object_under_way_goes_on() -> None:
    refuse_failure(job("Complete", "False", "Running"))


def test_tables_that_differ_in_age_only_are_the_same() -> None:
    row = "trainingjob.modelyard.io/digits   Running   1   digits   {}"

    assert without_ages(row.format("9s")) == without_ages(row.format("2m10s"))
    assert without_ages(row.format("9s")) != without_ages(row.replace("Running", "Failed").format("9s"))


def test_waiting_ends_with_what_was_waited_for() -> None:
    with pytest.raises(DemoError, match="an answer did not come about within 0 s"):
        list(ticks("an answer", limit_seconds=0))
