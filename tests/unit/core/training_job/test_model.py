"""Exactly one logged model is registered; where there is none or a choice, the message says what to write."""

from datetime import timedelta

import pytest

from builders import NOW
from modelyard.api.training_job import ModelSpec
from modelyard.core.errors import Waiting
from modelyard.core.tracking import LoggedModel
from modelyard.core.training_job.model import NoModel, chosen, newest_of_each_name


def logged(name: str = "model", status: str = "READY", number: int = 1) -> LoggedModel:
    return LoggedModel(f"m-{number}", name, status)


ANY = ModelSpec(name="digits")
NAMED = ModelSpec(name="digits", artifact="second")


def test_the_only_one_is_chosen() -> None:
    assert chosen((logged(),), ANY, NOW, NOW) == logged()


def test_the_named_one_is_chosen() -> None:
    assert chosen((logged("first"), logged("second")), NAMED, NOW, NOW).name == "second"


def test_of_one_name_the_newest_is_chosen() -> None:
    models = (logged("second", number=1), logged("second", number=2))
    assert chosen(models, NAMED, NOW, NOW).model_id == "m-2"


@pytest.mark.parametrize(
    ("models", "spec", "reason", "cure"),
    [
        ((), ANY, "ModelMissing", "call log_model in the training code, or remove spec.model"),
        ((logged("first"),), NAMED, "ModelMissing", "no model named second, only first: correct spec.model.artifact"),
        ((logged("b"), logged("a")), ANY, "ModelAmbiguous", "(a, b): say which one in spec.model.artifact"),
        ((logged(status="UPLOAD_FAILED"),), ANY, "ModelUploadFailed", "model (m-1) is UPLOAD_FAILED"),
    ],
)
def test_no_model_is_told_with_the_cure(
    models: tuple[LoggedModel, ...], spec: ModelSpec, reason: str, cure: str
) -> None:
    with pytest.raises(NoModel) as verdict:
        chosen(models, spec, NOW, NOW)
    assert verdict.value.reason == reason
    assert cure in verdict.value.message


def test_an_upload_may_still_end() -> None:
    with pytest.raises(Waiting) as waiting:
        chosen((logged(status="PENDING"),), ANY, NOW, NOW + timedelta(seconds=119))
    assert waiting.value.reason == "ModelPending"


def test_an_upload_is_not_waited_for_for_ever() -> None:
    with pytest.raises(NoModel) as verdict:
        chosen((logged(status="PENDING"),), ANY, NOW, NOW + timedelta(seconds=120))
    assert verdict.value.reason == "ModelUploadFailed"


def test_of_a_run_that_attempts_share_the_newest_model_of_each_name_counts() -> None:
    models = (logged("a", number=1), logged("b", number=2), logged("a", "PENDING", number=3))
    assert [model.model_id for model in newest_of_each_name(models)] == ["m-3", "m-2"]
