"""An MLflow project: its command is made by an init container, and run in place of the trainer's."""

import json
from typing import Any

import pytest

from builders import TRAINING_UID, TrainingJobBuilder, make_context, make_pod, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import project
from modelyard.core.training_job.job import build_job


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def pod_of(builder: TrainingJobBuilder) -> dict[str, Any]:
    run, identity = Run("run-1", "7"), AttemptIdentity("c", TRAINING_UID, 1)
    spec = spec_of(builder)
    pod: dict[str, Any] = build_job(builder.build(), spec, identity, run, make_context())["spec"]["template"]["spec"]
    return pod


PROJECT = make_training_job().with_spec(trainer={}, mlproject={}).with_git(path="ml").with_preparation()


def test_the_command_is_made_before_anything_of_the_users_runs() -> None:
    names = [container["name"] for container in pod_of(PROJECT)["initContainers"]]
    assert names == ["modelyard-source", "modelyard-project", "prepare"]


def test_it_reads_the_source_and_the_parameters_and_writes_one_file() -> None:
    pod = pod_of(PROJECT)
    maker = pod["initContainers"][1]
    assert maker["image"] == "modelyard/source-fetcher:test"
    assert "--folder=/workspace/ml" in maker["args"]
    assert "--entry-point=main" in maker["args"]
    writable = {mount["mountPath"] for mount in maker["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/modelyard/project", "/tmp"}  # noqa: S108 - the pod's own


def test_paths_are_those_of_the_trainer() -> None:
    maker = pod_of(PROJECT.with_trainer(workingDir="/src"))["initContainers"][1]
    assert "--runs-in=/src/ml" in maker["args"]
    assert "--folder=/workspace/ml" in maker["args"]


def test_the_trainer_runs_what_was_made_in_the_shells_place() -> None:
    trainer = pod_of(PROJECT)["containers"][0]
    assert trainer["command"] == [
        "bash",
        "-c",
        'command=$$(cat /modelyard/project/command) && exec bash -c "$$command"',
    ]
    assert {"name": "modelyard-project", "mountPath": "/modelyard/project", "readOnly": True} in trainer["volumeMounts"]


def test_it_works_with_a_config_map_too() -> None:
    pod = pod_of(make_training_job().with_spec(trainer={}, mlproject={"entryPoint": "test"}).with_source("code"))
    assert "--folder=/workspace" in pod["initContainers"][1]["args"]
    assert "--entry-point=test" in pod["initContainers"][1]["args"]


def test_the_run_is_told_as_mlflows_own_runner_does() -> None:
    told = dict(project.tags(spec_of(PROJECT)))
    assert told == {"mlflow.project.entryPoint": "main", "mlflow.project.backend": "local"}


def test_without_a_project_nothing_of_it_is_there() -> None:
    pod = pod_of(make_training_job().with_source("code"))
    assert "modelyard-project" not in str(pod)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (json.dumps({"defaults": {"rate": "0.1", "depth": "8"}}), {"rate": "0.1"}),
        (json.dumps({"defaults": {"a/../b": "1", "": "2", "ok": 3, "x.y": "4"}}), {"x.y": "4"}),
        (json.dumps({"defaults": ["rate"]}), {}),
        (json.dumps({"entryPoint": "main"}), {}),
        ("[1]", {}),
        ("not JSON", {}),
        (None, {}),
    ],
)
def test_the_files_own_values_are_told_of_parameters_that_nobody_gave(message: str, told: dict[str, str]) -> None:
    builder = PROJECT.with_parameters(depth="3")
    ended = {"terminated": {"exitCode": 0, "message": message}}
    pod = make_pod(builder.build()).running().helped_by("modelyard-project", ended).build()
    assert dict(project.defaults(spec_of(builder), [pod])) == told
    assert project.defaults(spec_of(make_training_job()), [pod]) == ()


def test_a_project_that_could_not_be_read_tells_no_values() -> None:
    ended = {"terminated": {"exitCode": 1, "message": json.dumps({"defaults": {"rate": "0.1"}})}}
    pod = make_pod(PROJECT.build()).running().helped_by("modelyard-project", ended).build()
    assert project.defaults(spec_of(PROJECT), [pod]) == ()
