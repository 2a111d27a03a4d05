"""Owner references say whose an object is; labels can be copied."""

import pytest

from builders import make_job, make_training_job
from modelyard.core.serving import is_owned_by

JOB = make_job(make_training_job().build()).build()


def test_an_object_is_its_controllers() -> None:
    assert is_owned_by(JOB, make_training_job().build()["metadata"]["uid"])


@pytest.mark.parametrize(
    "references",
    [
        [],
        None,
        [{"uid": make_training_job().build()["metadata"]["uid"]}],
        [{"uid": make_training_job().build()["metadata"]["uid"], "controller": False}],
        [{"uid": "another", "controller": True}],
    ],
)
def test_an_object_of_the_same_labels_may_be_anothers(references: list[dict[str, object]] | None) -> None:
    copied = {"metadata": JOB["metadata"] | {"ownerReferences": references}}
    assert not is_owned_by(copied, make_training_job().build()["metadata"]["uid"])
