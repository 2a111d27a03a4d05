"""Data preparation: an init container that shares the source, the parameters and /data with the trainer."""

from datetime import timedelta
from typing import Any

import pytest

from builders import (
    NOW,
    TRAINING_UID,
    PodBuilder,
    TrainingJobBuilder,
    make_context,
    make_job,
    make_pod,
    make_training_job,
    seconds_ago,
)
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run, RunStatus
from modelyard.core.training_job import prepare
from modelyard.core.training_job.job import build_job
from modelyard.core.training_job.outcome import Outcome, outcome_of, run_status_of

PREPARED = make_training_job().with_source("code").with_preparation().with_parameters(depth="8")


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def pod_of(builder: TrainingJobBuilder) -> dict[str, Any]:
    run, identity = Run("run-1", "7"), AttemptIdentity("c", TRAINING_UID, 1)
    context = make_context(ca_config_map="mlflow-ca")
    pod: dict[str, Any] = build_job(builder.build(), spec_of(builder), identity, run, context)["spec"]["template"][
        "spec"
    ]
    return pod


def containers_of(builder: TrainingJobBuilder) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data preparation and the trainer."""
    pod = pod_of(builder)
    (preparation,) = [item for item in pod["initContainers"] if item["name"] == "prepare"]
    return preparation, pod["containers"][0]


def mount_at(container: dict[str, Any], path: str) -> str | None:
    return next((item["name"] for item in container["volumeMounts"] if item["mountPath"] == path), None)


def test_it_runs_after_the_source_is_there_and_before_the_templates_own() -> None:
    builder = PREPARED.with_pod_template(spec={"initContainers": [{"name": "theirs", "image": "x"}]})
    names = [item["name"] for item in pod_of(builder)["initContainers"]]
    assert names == ["modelyard-source", "prepare", "theirs"]


@pytest.mark.parametrize("path", ["/workspace", "/etc/modelyard", "/data", "/etc/modelyard/ca", "/tmp"])  # noqa: S108
def test_it_sees_what_the_trainer_sees(path: str) -> None:
    preparation, trainer = containers_of(PREPARED)
    assert mount_at(preparation, path) == mount_at(trainer, path) is not None


def test_it_begins_where_the_trainer_does() -> None:
    preparation, trainer = containers_of(PREPARED.with_trainer(workingDir="/src"))
    assert preparation["workingDir"] == trainer["workingDir"] == "/src"
    assert mount_at(preparation, "/src") == "modelyard-workspace"


def test_it_is_told_what_the_trainer_is_told_but_not_its_run() -> None:
    builder = PREPARED.with_spec(checkpoint={"persistentVolumeClaim": {"claimName": "kept"}})
    preparation, trainer = ({item["name"] for item in container["env"]} for container in containers_of(builder))
    assert trainer - preparation == {"MLFLOW_RUN_ID", "CHECKPOINT_DIR"}
    assert preparation - trainer == set()


def test_its_own_variables_are_kept() -> None:
    own = [{"name": "ROWS", "value": "5"}, {"name": "HOME", "value": "/data"}]
    preparation, _ = containers_of(PREPARED.with_preparation(env=own))
    assert [item for item in preparation["env"] if item["name"] in ("ROWS", "HOME")] == own


@pytest.mark.parametrize(
    ("builder", "image"),
    [
        (PREPARED, "modelyard/trainer:test"),
        (PREPARED.with_trainer(image="mine:1"), "mine:1"),
        (PREPARED.with_preparation(image="duckdb:1"), "duckdb:1"),
    ],
)
def test_its_image_is_the_trainers_unless_it_has_its_own(builder: TrainingJobBuilder, image: str) -> None:
    assert containers_of(builder)[0]["image"] == image


def test_it_is_restricted_as_every_container() -> None:
    security = containers_of(PREPARED)[0]["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True


def test_the_template_can_add_to_it() -> None:
    mount = {"name": "raw", "mountPath": "/raw"}
    extra = {"name": "prepare", "volumeMounts": [mount], "image": "not this", "lifecycle": {}}
    preparation, _ = containers_of(PREPARED.with_pod_template(spec={"initContainers": [extra]}))
    assert mount in preparation["volumeMounts"]
    assert preparation["image"] == "modelyard/trainer:test"


def test_the_templates_volume_of_the_name_data_takes_the_place_of_the_empty_one() -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "big"}}
    builder = PREPARED.with_pod_template(spec={"volumes": [volume]})
    assert [mount_at(container, "/data") for container in containers_of(builder)] == ["data", "data"]
    names = [item["name"] for item in pod_of(builder)["volumes"]]
    assert "modelyard-data" not in names
    assert {"name": "modelyard-data", "emptyDir": {}} in pod_of(PREPARED)["volumes"]


def test_without_it_nothing_is_shared() -> None:
    trainer = pod_of(make_training_job())["containers"][0]
    assert mount_at(trainer, "/data") is None


@pytest.mark.parametrize(
    ("builder", "field"),
    [
        (
            PREPARED.with_pod_template(spec={"containers": [{"name": "prepare"}]}),
            "spec.podTemplate.spec.containers[prepare]",
        ),
        (PREPARED.with_trainer(volumeMounts=[{"name": "x", "mountPath": "/data/"}]), "spec.trainer.volumeMounts"),
        (PREPARED.with_trainer(volumeMounts=[{"name": "x", "mountPath": "/data/more"}]), None),
        (
            PREPARED.with_spec(checkpoint={"persistentVolumeClaim": {"claimName": "kept"}, "mountPath": "/data"}),
            "spec.checkpoint.mountPath",
        ),
        (make_training_job().with_trainer(volumeMounts=[{"name": "x", "mountPath": "/data"}]), None),
    ],
)
def test_what_cannot_work_is_named(builder: TrainingJobBuilder, field: str | None) -> None:
    problems = prepare.problems_of(spec_of(builder))
    assert [text.partition(":")[0] for text in problems] == ([field] if field else [])


def outcome_when(pod: PodBuilder) -> Outcome:
    outcome = outcome_of(make_job(PREPARED.build()).failed().build(), [pod.build()], NOW)
    assert outcome
    return outcome


def test_its_failure_is_a_reason_of_its_own_and_names_its_log() -> None:
    outcome = outcome_when(make_pod(PREPARED.build()).failed_to_prepare(3, "KeyError: 'label'"))
    assert (outcome.reason, outcome.exit_code) == ("PrepareFailed", 3)
    assert outcome.message.startswith("container prepare: KeyError: 'label'; its log: kubectl logs job/digits-")
    assert outcome.message.endswith("-1 -c prepare -n team-a")
    assert run_status_of(outcome.reason) is RunStatus.FAILED


def test_too_little_memory_for_it_says_whose() -> None:
    outcome = outcome_when(make_pod(PREPARED.build()).failed_to_prepare(137, reason="OOMKilled"))
    assert outcome.reason == "PrepareFailed"
    assert "container prepare used more memory than its limit" in outcome.message


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (make_pod(PREPARED.build()).failed(1).helped_by("prepare", {"terminated": {"exitCode": 0}}), "Error"),
        (make_pod(PREPARED.build()).failed_to_prepare(137).changed("status", "reason", to="Evicted"), "Evicted"),
        (make_pod(PREPARED.build()).out_of_memory(), "OOMKilled"),
    ],
)
def test_other_ends_keep_their_reason(pod: PodBuilder, reason: str) -> None:
    assert outcome_when(pod).reason == reason


@pytest.mark.parametrize(
    ("ended", "is_recent"),
    [
        ({"exitCode": 0, "finishedAt": seconds_ago(1)}, True),
        ({"exitCode": 0, "finishedAt": seconds_ago(5)}, False),
        ({"exitCode": 0, "finishedAt": seconds_ago(-60)}, False),
        ({"exitCode": 1, "finishedAt": seconds_ago(1)}, False),
        ({"exitCode": 0}, False),
    ],
    ids=["a moment ago", "longer ago", "by a clock that is ahead", "it failed", "no time is told"],
)
def test_its_end_is_not_told_while_the_trainer_is_about_to_begin(ended: dict[str, Any], is_recent: bool) -> None:
    pod = make_pod(make_training_job().with_preparation().build()).starting()
    over = pod.helped_by("prepare", {"terminated": ended}).build()
    assert prepare.has_just_ended(over, NOW, timedelta(seconds=5)) is is_recent
