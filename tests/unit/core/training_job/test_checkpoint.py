"""A volume that every attempt finds at the same path."""

from typing import Any

import pytest

from builders import TRAINING_UID, TrainingJobBuilder, make_context, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.pod_state import Trouble
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import checkpoint
from modelyard.core.training_job.job import build_job

CLAIM = {"name": "modelyard-checkpoint", "persistentVolumeClaim": {"claimName": "kept"}}


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def pod_of(builder: TrainingJobBuilder, attempt: int = 1) -> dict[str, Any]:
    identity = AttemptIdentity("cluster-uid", TRAINING_UID, attempt)
    job = build_job(builder.build(), spec_of(builder), identity, Run(f"run-{attempt}", "7"), make_context())
    found: dict[str, Any] = job["spec"]["template"]["spec"]
    return found


def variable(pod: dict[str, Any], name: str) -> str | None:
    return next((item["value"] for item in pod["containers"][0]["env"] if item["name"] == name), None)


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_attempt_has_the_same_claim_at_the_same_path(attempt: int) -> None:
    pod = pod_of(make_training_job().with_checkpoint("kept"), attempt)
    assert CLAIM in pod["volumes"]
    assert {"name": "modelyard-checkpoint", "mountPath": "/checkpoint"} in pod["containers"][0]["volumeMounts"]
    assert variable(pod, "CHECKPOINT_DIR") == "/checkpoint"
    assert variable(pod, "MODELYARD_ATTEMPT") == str(attempt)


def test_the_path_may_be_another() -> None:
    pod = pod_of(make_training_job().with_checkpoint("kept", mountPath="/state"))
    assert variable(pod, "CHECKPOINT_DIR") == "/state"
    assert {"name": "modelyard-checkpoint", "mountPath": "/state"} in pod["containers"][0]["volumeMounts"]


def test_without_one_nothing_is_mounted_or_said() -> None:
    pod = pod_of(make_training_job())
    assert "modelyard-checkpoint" not in {volume["name"] for volume in pod["volumes"]}
    assert variable(pod, "CHECKPOINT_DIR") is None


def test_the_group_of_the_pod_may_write_to_the_volume() -> None:
    assert pod_of(make_training_job().with_checkpoint("kept"))["securityContext"]["fsGroup"] == 65532


@pytest.mark.parametrize(
    ("trainer", "path", "told"),
    [
        (
            {"env": [{"name": "CHECKPOINT_DIR", "value": "/x"}]},
            "/checkpoint",
            "env: CHECKPOINT_DIR is set by",
        ),
        ({"volumeMounts": [{"name": "a", "mountPath": "/a"}]}, "/a", "spec.trainer.volumeMounts has another volume"),
        ({"workingDir": "/code"}, "/code", "/code is where the source is (spec.trainer.workingDir)"),
    ],
    ids=["variable", "mount", "source"],
)
def test_what_it_would_take_the_place_of_is_named(trainer: dict[str, Any], path: str, told: str) -> None:
    builder = make_training_job().with_trainer(**trainer).with_source("code").with_checkpoint("kept", mountPath=path)
    (problem,) = checkpoint.problems_of(spec_of(builder))
    assert told in problem
    assert list(checkpoint.problems_of(spec_of(make_training_job().with_trainer(**trainer)))) == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('0/3 nodes are available: persistentvolumeclaim "kept" not found.', "there is no PersistentVolumeClaim kept"),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "kept cannot be used: 0/3"),
        ("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.", "cannot be used"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", "cannot be used"),
        ("0/3 nodes are available: 3 Insufficient memory.", None),
    ],
)
def test_a_claim_that_keeps_a_pod_from_its_node_is_named_by_its_field(message: str, told: str | None) -> None:
    wanted = spec_of(make_training_job().with_checkpoint("kept")).checkpoint
    found = checkpoint.why_unschedulable(wanted, Trouble("Unschedulable", message))
    if told is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith("spec.checkpoint.persistentVolumeClaim.claimName: ")
        assert told in found
    assert checkpoint.why_unschedulable(wanted, Trouble("ImagePullFailed", message)) is None
    assert checkpoint.why_unschedulable(None, Trouble("Unschedulable", message)) is None
