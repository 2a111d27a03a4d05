"""Names and labels: the same after a crash, others for another owner."""

import re

from builders import TRAINING_UID, make_training_job
from modelyard.core import metadata


def test_a_jobs_name_is_the_same_every_time() -> None:
    job = make_training_job().build()
    assert metadata.job_name(job, 2) == metadata.job_name(make_training_job().with_status({}).build(), 2)


def test_another_object_of_the_same_name_gets_other_jobs() -> None:
    first, second = make_training_job().build(), make_training_job().with_uid("another").build()
    assert metadata.job_name(first, 1) != metadata.job_name(second, 1)


def test_attempts_have_different_jobs() -> None:
    job = make_training_job().build()
    assert len({metadata.job_name(job, attempt) for attempt in range(1, 101)}) == 100


def test_the_longest_job_name_is_still_a_label() -> None:
    name = metadata.job_name(make_training_job("x" * 50).build(), 101)
    assert len(name) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)


def test_a_child_goes_with_its_owner() -> None:
    child = metadata.child_metadata(make_training_job().build(), "child", {"more": "1"})
    [owner] = child["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("TrainingJob", TRAINING_UID, True)
    assert child["labels"]["modelyard.io/owner-uid"] == TRAINING_UID
    assert child["labels"]["more"] == "1"


def test_a_selector_is_sorted() -> None:
    assert metadata.selector_text({"b": "2", "a": "1"}) == "a=1,b=2"
