"""System metrics: asked for in the pod, where it is known whether the image has psutil."""

import subprocess
from pathlib import Path

import pytest

from builders import TRAINING_UID, TrainingJobBuilder, make_context, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Ended, Run
from modelyard.core.training_job import system_metrics
from modelyard.core.training_job.job import build_job

SHOWN = 'echo "${MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING:-unset} ${MLFLOW_SYSTEM_METRICS_NODE_ID:-unset} $1"'


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def measured(**trainer: object) -> TrainingJobBuilder:
    return make_training_job().with_spec(tracking={"systemMetrics": True}).with_trainer(**trainer)


def command_of(builder: TrainingJobBuilder) -> list[str]:
    identity = AttemptIdentity("cluster-uid", TRAINING_UID, 1)
    job = build_job(builder.build(), spec_of(builder), identity, Run("run-1", "7"), make_context())
    trainer = job["spec"]["template"]["spec"]["containers"][0]
    return [*trainer["command"], *trainer.get("args", [])]


def image_with(folder: Path, *programs: str, psutil: bool) -> str:
    """A PATH with Pythons of these names, which have psutil or not."""
    for name in programs:
        (folder / name).write_text(f"#!/bin/sh\nexit {0 if psutil else 1}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def run(builder: TrainingJobBuilder, path: str, **variables: str) -> tuple[str, str]:
    done = subprocess.run(
        command_of(builder), env={"PATH": path, **variables}, capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_nobody_asks_for_them_unless_told_to() -> None:
    assert command_of(make_training_job()) == ["python", "train.py"]


def test_with_psutil_they_are_switched_on(tmp_path: Path) -> None:
    path = image_with(tmp_path, "python", psutil=True)
    builder = measured(command=["/bin/sh", "-c", SHOWN, "sh"], args=["a b $HOME"])
    assert run(builder, path) == ("true unset a b $HOME\n", "")


@pytest.mark.parametrize("before", [{}, {"MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "true"}])
def test_without_psutil_the_training_runs_on_and_its_log_says_so(tmp_path: Path, before: dict[str, str]) -> None:
    """With the switch on, MLflow's client would raise where the run is started."""
    path = image_with(tmp_path, "python", psutil=False)
    told, said = run(measured(command=["/bin/sh", "-c", SHOWN, "sh", "x"]), path, **before)
    assert told == "unset unset x\n"
    assert said == (
        "modelyard: spec.tracking.systemMetrics: python has no psutil: add it to the image; "
        "the training goes on without system metrics\n"
    )


def test_asked_is_the_python_that_the_command_names(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = image_with(tmp_path, "python", "python3", psutil=False)
    own = f"{image_with(tmp_path / 'other', 'python3.11', psutil=True)}/python3.11"
    assert run(measured(command=[own, "train.py"]), path) == ("", "")


def test_where_there_is_no_python_python3_is_asked(tmp_path: Path) -> None:
    path = image_with(tmp_path, "python3", psutil=True)
    assert run(measured(command=["/bin/sh", "-c", SHOWN, "sh", "x"]), path)[0] == "true unset x\n"


def test_a_python_that_is_not_there_is_no_reason_to_stop(tmp_path: Path) -> None:
    told, said = run(measured(command=["/bin/sh", "-c", SHOWN, "sh", "x"]), str(tmp_path))
    assert (told, "python3 has no psutil" in said) == ("unset unset x\n", True)


@pytest.mark.parametrize(("rank", "told"), [("0", "true 0 run-1"), ("1", "true 1 none")])
def test_several_pods_are_told_apart_and_only_the_first_has_the_run(tmp_path: Path, rank: str, told: str) -> None:
    path = image_with(tmp_path, "python", psutil=True)
    builder = measured(command=["/bin/sh", "-c", SHOWN, "sh", "${MLFLOW_RUN_ID:-none}"]).with_nodes(2)
    builder = builder.with_trainer(command=["/bin/sh", "-c", SHOWN.replace("$1", "${MLFLOW_RUN_ID:-none}")])
    assert run(builder, path, NODE_RANK=rank, MLFLOW_RUN_ID="run-1")[0] == f"{told}\n"


def test_an_entry_point_of_a_project_is_run_behind_the_question_too() -> None:
    builder = make_training_job().with_spec(tracking={"systemMetrics": True}, mlproject={}, trainer={}).with_git()
    assert "import psutil" in command_of(builder)[2]


@pytest.mark.parametrize(
    ("is_wanted", "has_them", "is_said"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_run_without_them_is_told_where_they_were_wanted(is_wanted: bool, has_them: bool, is_said: bool) -> None:
    spec = spec_of(make_training_job().with_spec(tracking={"systemMetrics": is_wanted}))
    assert ("no system metrics" in system_metrics.remark(spec, Ended("FINISHED", has_them))) is is_said
