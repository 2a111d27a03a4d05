"""Whatever a script does with MLflow: the attempt's run ends as its pod did, and none stays open."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support.scripts import kill_script, run_script
from support.tracking import variables_of
from support.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from support.kube import Manifest
    from support.world import World

pytestmark = pytest.mark.api

NEVER = {"limit": 0}


@dataclass(frozen=True)
class Script:
    """What its code does, and what is to be found of it afterwards."""

    code: str
    exit_code: int = 0
    metrics: tuple[str, ...] = ("loss",)
    """On the attempt's own run."""
    others: tuple[str, ...] = ()
    """How further runs of the attempt are to end, in order of their start."""


LOGS = "import mlflow; mlflow.log_metric('loss', 0.5)\n"
STARTS = "import mlflow; mlflow.start_run(); mlflow.log_metric('loss', 0.5)\n"
WITHIN = "import mlflow, sys\nwith mlflow.start_run():\n    mlflow.log_metric('loss', 0.5)\n"

SCRIPTS = {
    "start_run": Script(STARTS),
    "fluent logging": Script(LOGS),
    "with start_run": Script(WITHIN),
    "never touches MLflow": Script("print('trained')", metrics=()),
    "a name and tags of its own": Script(
        "import mlflow; mlflow.start_run(run_name='mine', tags={'team': 'vision'}); mlflow.log_metric('loss', 0.5)"
    ),
    "set_experiment to the job's own": Script(
        "import mlflow, os\n"
        "name = mlflow.get_experiment(os.environ['MLFLOW_EXPERIMENT_ID']).name\n"
        "mlflow.set_experiment(name)\n" + STARTS
    ),
    "autolog": Script(
        "import mlflow; mlflow.sklearn.autolog(log_models=False, log_datasets=False)\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])\n",
        metrics=("training_accuracy_score",),
    ),
    "nested runs": Script(
        WITHIN + "    with mlflow.start_run(nested=True):\n        mlflow.log_metric('fold', 1)\n", others=("FINISHED",)
    ),
    "a second run": Script(WITHIN + "mlflow.start_run(); mlflow.log_metric('again', 1)\n", others=("FINISHED",)),
    "a second run, left open": Script(WITHIN + "mlflow.start_run()\nimport os; os._exit(0)\n", others=("FINISHED",)),
    "a second run, left open by a failure": Script(
        WITHIN + "mlflow.start_run()\nimport os; os._exit(4)\n", exit_code=4, others=("FAILED",)
    ),
    "an exception within start_run": Script(WITHIN + "    raise ValueError('no data')\n", exit_code=1),
    "an exception after a bare start_run": Script(STARTS + "raise ValueError('no data')\n", exit_code=1),
    "sys.exit within start_run": Script(WITHIN + "    sys.exit(3)\n", exit_code=3),
    "sys.exit after a bare start_run": Script(STARTS + "import sys; sys.exit(3)\n", exit_code=3),
    "it ends its run as failed and exits with 0": Script(STARTS + "mlflow.end_run('FAILED')\n"),
}


def end_as(world: World, pod: Manifest, exit_code: int, words: str = "") -> None:
    """What the kubelet says of the pod whose script ended so."""
    if exit_code:
        world.kubelet.fail(pod, exit_code, words[-400:])
    else:
        world.kubelet.succeed(pod)


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_run_ends_as_its_pod_whatever_the_script_does(world: World, what: str, tmp_path: Path) -> None:
    script = SCRIPTS[what]
    training = Training(world, retry=NEVER)
    pod = training.start()
    exit_code, said = run_script(script.code, variables_of(pod), tmp_path)
    assert exit_code == script.exit_code, said
    end_as(world, pod, exit_code, said)
    training.until_over()
    own = world.tracking.run(training.run_id())
    assert own.info.status == ("FAILED" if script.exit_code else "FINISHED")
    assert own.info.end_time is not None
    assert set(own.data.metrics) >= set(script.metrics)
    others = [run for run in world.tracking.runs_of(training.uid) if run.info.run_id != own.info.run_id]
    by_start = sorted(others, key=lambda run: int(run.info.start_time))
    assert tuple(run.info.status for run in by_start) == script.others
    assert {run.info.experiment_id for run in others} <= {own.info.experiment_id}
    assert {run.data.tags["modelyard.io/parent-attempt"] for run in others} <= {"1"}


def test_a_name_and_tags_of_the_script_are_kept_beside_the_operators(world: World, tmp_path: Path) -> None:
    training = Training(world, retry=NEVER)
    pod = training.start()
    run_script(SCRIPTS["a name and tags of its own"].code, variables_of(pod), tmp_path)
    world.kubelet.succeed(pod)
    training.until_over()
    (run,) = world.tracking.runs_of(training.uid)
    assert run.info.run_name == "mine"
    assert run.data.tags["team"] == "vision"
    assert run.data.tags["modelyard.io/trainingjob"] == "digits"


WAITS = "import time; print('ready', flush=True); time.sleep(300)\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("code", [STARTS + WAITS, WITHIN + "    " + WAITS], ids=["start_run", "with"])
def test_a_run_of_a_killed_process_does_not_stay_open(
    world: World, code: str, number: signal.Signals, tmp_path: Path
) -> None:
    training = Training(world, retry=NEVER)
    pod = training.start()
    assert kill_script(code, variables_of(pod), tmp_path, number) == -number
    assert training.statuses_of_runs() == ["RUNNING"], "nobody else ends it"
    world.kubelet.fail(pod, 128 + number)
    training.until_over()
    assert training.statuses_of_runs() == ["FAILED"]


def test_a_script_that_chooses_another_experiment_fails_and_the_message_says_why(world: World, tmp_path: Path) -> None:
    training = Training(world, retry=NEVER)
    pod = training.start()
    exit_code, said = run_script(
        f"import mlflow; mlflow.set_experiment('{world.namespace}/other')\n" + STARTS, variables_of(pod), tmp_path
    )
    end_as(world, pod, exit_code, said)
    training.until_over()
    assert training.condition("Failed")["reason"] == "RetryLimitExceeded"
    assert "does not match environment run ID" in training.condition("Failed")["message"]
    assert training.statuses_of_runs() == ["FAILED"]


def test_a_run_that_somebody_deleted_is_told_and_keeps_nothing_from_ending(world: World, tmp_path: Path) -> None:
    training = Training(world, retry=NEVER)
    pod = training.start()
    world.tracking.client.delete_run(training.run_id())
    exit_code, said = run_script(STARTS, variables_of(pod), tmp_path)
    assert exit_code == 1, "MLflow's client refuses to go on with it"
    end_as(world, pod, exit_code, said)
    training.until_over()
    assert training.condition("Tracked")["reason"] == "RunDeleted"
    assert training.attempt(1)["runStatus"] == "UNKNOWN"


def test_of_two_ranks_only_the_one_with_the_id_writes_the_run(world: World, tmp_path: Path) -> None:
    """The other gets the experiment and the context: runs that it starts are found as the attempt's and end with it."""
    training = Training(world, retry=NEVER)
    pod = training.start()
    first = variables_of(pod)
    second = {name: value for name, value in first.items() if name != "MLFLOW_RUN_ID"}
    assert run_script(STARTS + "import os; os._exit(0)\n", second, tmp_path)[0] == 0
    own = world.tracking.run(training.run_id())
    assert (own.info.status, own.data.metrics) == ("RUNNING", {}), "the first rank still trains"
    assert run_script(WITHIN, first, tmp_path)[0] == 0
    world.kubelet.succeed(pod)
    training.until_over()
    runs = {run.info.run_id: run.info.status for run in world.tracking.runs_of(training.uid)}
    assert sorted(runs.values()) == ["FINISHED", "FINISHED"]
    assert world.tracking.run(training.run_id()).data.metrics == {"loss": 0.5}
