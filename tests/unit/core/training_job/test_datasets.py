"""Datasets as the run and the pod are told of them."""

import pytest

from builders import make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import Dataset
from modelyard.core.training_job import datasets

DIGEST = "sha256:" + "ab" * 32


def spec_of(*items: dict[str, str], **fields: object) -> TrainingJobSpec:
    builder = make_training_job().with_datasets(*items).with_spec(**fields)
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def test_the_run_is_told_name_place_and_digest() -> None:
    spec = spec_of({"name": "train", "uri": "s3://b/train", "digest": DIGEST}, {"name": "test", "uri": "/data/test"})
    assert datasets.inputs(spec) == (Dataset("train", "s3://b/train", DIGEST), Dataset("test", "/data/test"))


def test_the_pod_has_a_variable_for_the_place_and_one_for_the_digest() -> None:
    spec = spec_of({"name": "mnist-v1.2", "uri": "s3://b/$(x)", "digest": DIGEST}, {"name": "test", "uri": "/t"})
    assert datasets.variables(spec) == {
        "DATASET_MNIST_V1_2_URI": "s3://b/$$(x)",
        "DATASET_MNIST_V1_2_DIGEST": DIGEST,
        "DATASET_TEST_URI": "/t",
    }


@pytest.mark.parametrize(("one", "other"), [("a-b", "a.b"), ("a_b", "a.b"), ("Train", "train")])
def test_names_that_become_one_variable_are_refused(one: str, other: str) -> None:
    (problem,) = datasets.problems_of(spec_of({"name": one, "uri": "/1"}, {"name": other, "uri": "/2"}))
    assert problem.startswith("spec.datasets: several become the variable DATASET_")


@pytest.mark.parametrize("field", ["trainer", "prepare"])
def test_a_variable_that_the_user_sets_too_is_refused(field: str) -> None:
    container = {"env": [{"name": "DATASET_A_URI", "value": "mine"}]}
    (problem,) = datasets.problems_of(spec_of({"name": "a", "uri": "/1"}, **{field: container}))
    assert problem == f"spec.{field}.env: DATASET_A_URI is set from spec.datasets; remove it"


def test_no_datasets_are_no_problem() -> None:
    assert datasets.problems_of(spec_of()) == []
