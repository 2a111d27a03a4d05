"""An attempt gets more memory than the one before it, where that ran out of it, and never more than is allowed."""

from typing import Any

import pytest

from builders import make_job, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.training_job import memory

RAN_OUT = {"reason": "OOMKilled", "exitCode": 137}


def spec_of(limit: object = "1Gi", most: str = "8Gi", factor: str = "1.5", request: object = None) -> TrainingJobSpec:
    resources: dict[str, Any] = {"limits": {"memory": limit, "cpu": "1"}}
    if request is not None:
        resources["requests"] = {"memory": request, "cpu": "1"}
    builder = make_training_job().with_trainer(resources=resources)
    policy = {"memoryFactor": factor, "maxMemory": most}
    return TrainingJobSpec.model_validate(builder.with_spec(retry={"onOutOfMemory": policy}).build()["spec"])


@pytest.mark.parametrize(
    ("limit", "factor", "most", "next_one"),
    [
        ("1Gi", "1.5", "8Gi", "1536Mi"),
        ("1Gi", "2", "8Gi", "2048Mi"),
        ("1Gi", "1.001", "8Gi", "1026Mi"),
        ("6Gi", "1.5", "8Gi", "8Gi"),
        ("8Gi", "1.5", "8Gi", "8Gi"),
        ("1000M", "1.5", "8Gi", "1431Mi"),
        (1073741824, "1.5", "8Gi", "1536Mi"),
        ("1.5Gi", "2", "8000M", "3072Mi"),
        ("64k", "2", "8Gi", "128000"),
    ],
)
def test_the_limit_grows_by_the_factor_up_to_the_most(limit: object, factor: str, most: str, next_one: str) -> None:
    assert memory.next_limit(spec_of(limit, most, factor), RAN_OUT) == next_one


def test_it_grows_from_what_the_attempt_had_and_stays_afterwards() -> None:
    spec = spec_of()
    second = memory.next_limit(spec, RAN_OUT | {"memory": "1Gi"})
    third = memory.next_limit(spec, RAN_OUT | {"memory": second})
    assert (second, third) == ("1536Mi", "2304Mi")
    assert memory.next_limit(spec, {"reason": "Error", "memory": third}) == third


@pytest.mark.parametrize(
    "record", [None, {"reason": "Error"}, {"reason": "Evicted"}, RAN_OUT | {"container": "sidecar"}], ids=str
)
def test_after_another_end_it_is_as_it_was(record: dict[str, Any] | None) -> None:
    assert memory.next_limit(spec_of(), record) == "1Gi"


def test_without_the_field_nothing_grows() -> None:
    spec = TrainingJobSpec.model_validate(make_training_job().build()["spec"])
    assert memory.next_limit(spec, RAN_OUT) is None
    assert memory.with_limit(spec, None) is spec


@pytest.mark.parametrize(
    ("request_", "grown"), [("1Gi", "1536Mi"), ("512Mi", "768Mi"), (536870912, "768Mi"), ("lots", "lots")]
)
def test_the_request_grows_with_the_limit(request_: object, grown: str) -> None:
    spec = memory.with_limit(spec_of(request=request_), "1536Mi")
    assert spec.trainer.resources is not None
    assert spec.trainer.resources.limits == {"memory": "1536Mi", "cpu": "1"}
    assert spec.trainer.resources.requests == {"memory": grown, "cpu": "1"}


def test_a_request_that_was_not_made_is_not_made_up() -> None:
    spec = memory.with_limit(spec_of(), "1536Mi")
    assert spec.trainer.resources is not None
    assert spec.trainer.resources.requests is None


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("1Gi", "1Gi", ""),
        (
            "2Gi",
            "1Gi",
            "spec.retry.onOutOfMemory.maxMemory (1Gi) is less than spec.trainer.resources.limits.memory (2Gi)",
        ),
        ("lots", "1Gi", "spec.trainer.resources.limits.memory: 'lots' is not a quantity"),
    ],
)
def test_what_cannot_work_is_told_with_the_field(limit: str, most: str, said: str) -> None:
    assert said in "; ".join(memory.problems_of(spec_of(limit, most)))
    assert bool(memory.problems_of(spec_of(limit, most))) is bool(said)


def test_the_limit_is_read_back_from_a_job() -> None:
    resource = make_training_job().build()
    containers = [{"name": "trainer", "resources": {"limits": {"memory": "3Gi"}}}, {"name": "sidecar"}]
    job = make_job(resource).changed("spec", to={"template": {"spec": {"containers": containers}}}).build()
    assert memory.limit_in(job, "trainer") == "3Gi"
    assert memory.limit_in(job, "sidecar") is None
    assert memory.limit_in(make_job(resource).build(), "trainer") is None
