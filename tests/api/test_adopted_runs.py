"""runPolicy Adopt: the code starts its run itself; it is found by its tags and ends as its pod did."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from support.scripts import kill_script, run_script
from support.tracking import variables_of
from support.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from support.world import World

pytestmark = pytest.mark.api

NEVER = {"limit": 0}
ADOPT = {"runPolicy": "Adopt"}
ELSEWHERE = """
import mlflow
mlflow.set_experiment({experiment!r})
with mlflow.start_run(run_name="mine"):
    mlflow.log_metric("val_accuracy", 0.75)
    mlflow.log_param("C", "of the code")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("fold", 1)
"""
TWO = """
import mlflow, os
for name in ("first", "second"):
    mlflow.start_run(run_name=name)
    mlflow.end_run() if name == "first" else os._exit(0)
"""
WAITS = """
import mlflow, time
mlflow.start_run()
print("ready", flush=True)
time.sleep(300)
"""


def test_a_run_in_an_experiment_of_the_codes_choice_is_the_attempts(world: World, tmp_path: Path) -> None:
    name, experiment = f"{world.namespace}.digits", f"{world.namespace}/elsewhere"
    parameters = [{"name": "C", "value": "of the job"}, {"name": "depth", "value": "8"}]
    tracking = ADOPT | {"metrics": ["val_accuracy"], "tags": [{"name": "team", "value": "vision"}]}
    training = Training(world, tracking=tracking, model={"name": name}, parameters=parameters)
    pod = training.start()
    assert "MLFLOW_RUN_ID" not in variables_of(pod)
    exit_code, said = run_script(ELSEWHERE.format(experiment=experiment), variables_of(pod), tmp_path)
    assert exit_code == 0, said
    found = world.tracking.client.get_experiment_by_name(experiment)
    assert found is not None
    (own,) = [run for run in world.tracking.runs_of(training.uid) if run.info.run_name == "mine"]
    world.tracking.log_model(own.info.run_id)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.attempt(1)["runID"] == own.info.run_id
    assert training.status["tracking"]["experimentID"] == found.experiment_id
    assert training.condition("Tracked")["reason"] == "RunEnded"
    assert training.status["metrics"] == [{"name": "val_accuracy", "value": "0.75", "step": 0}]
    (version,) = world.tracking.versions_of(name)
    assert version.run_id == own.info.run_id
    own = world.tracking.run(own.info.run_id)
    assert own.info.status == "FINISHED"
    assert own.data.params == {"C": "of the code", "depth": "8"}, "what the code said of itself counts"
    tags = {tag: own.data.tags.get(tag) for tag in ("modelyard.io/attempt", "modelyard.io/trainingjob", "team")}
    assert tags == {"modelyard.io/attempt": "1", "modelyard.io/trainingjob": "digits", "team": "vision"}


def test_a_run_is_found_while_its_pod_runs_and_ends_when_it_is_killed(world: World, tmp_path: Path) -> None:
    training = Training(world, tracking=ADOPT, retry=NEVER)
    pod = training.start()
    assert training.condition("Tracked")["reason"] == "RunAwaited"
    assert kill_script(WAITS, variables_of(pod), tmp_path, signal.SIGKILL) == -signal.SIGKILL
    world.until(lambda: training.attempt(1).get("runID"), "its run is found", 60)
    world.kubelet.fail(pod, 137)
    training.until_over()
    assert world.tracking.run(training.attempt(1)["runID"]).info.status == "FAILED"


def test_of_several_runs_the_first_is_the_attempts_and_the_condition_says_so(world: World, tmp_path: Path) -> None:
    training = Training(world, tracking=ADOPT)
    pod = training.start()
    assert run_script(TWO, variables_of(pod), tmp_path)[0] == 0
    world.kubelet.succeed(pod)
    training.until_over()
    runs = {run.info.run_name: run.info for run in world.tracking.runs_of(training.uid)}
    assert training.attempt(1)["runID"] == runs["first"].run_id
    assert "the first of 2 runs" in training.condition("Tracked")["message"]
    assert runs["second"].run_id in training.condition("Tracked")["message"]
    assert {info.status for info in runs.values()} == {"FINISHED"}


def test_code_that_starts_no_run_is_told_so_and_its_pods_end_counts(world: World) -> None:
    training = Training(world, tracking=ADOPT)
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert training.condition("Tracked")["reason"] == "RunMissing"
    assert "mlflow.start_run()" in training.condition("Tracked")["message"]
    assert training.attempt(1)["runStatus"] == "NONE"


def test_each_attempt_has_the_run_that_its_own_code_started(world: World, tmp_path: Path) -> None:
    training = Training(world, tracking=ADOPT, retry={"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}})
    first = training.start(1)
    assert run_script("import mlflow; mlflow.start_run(); raise SystemExit(3)", variables_of(first), tmp_path)[0] == 3
    world.kubelet.fail(first, 3)
    second = training.start(2)
    assert run_script("import mlflow; mlflow.start_run()", variables_of(second), tmp_path)[0] == 0
    world.kubelet.succeed(second)
    training.until_over()
    assert training.statuses_of_runs() == ["FAILED", "FINISHED"]
    assert len({item["runID"] for item in training.status["attempts"]}) == 2


def test_deleting_the_job_kills_the_run_that_its_code_started(world: World, tmp_path: Path) -> None:
    training = Training(world, tracking=ADOPT)
    pod = training.start()
    kill_script(WAITS, variables_of(pod), tmp_path, signal.SIGKILL)
    world.delete("TrainingJob", "digits")
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed")


def test_with_several_pods_the_run_of_the_first_is_the_attempts_and_what_others_start_ends_with_it(
    world: World, tmp_path: Path
) -> None:
    training = Training(world, nodes=2, tracking=ADOPT | {"metrics": ["loss"]}, retry=NEVER)
    pods = training.start_nodes(2)
    assert not any("MLFLOW_RUN_ID" in variables_of(pod) for pod in pods)
    code = "import mlflow, os; mlflow.start_run(run_name={name!r}); mlflow.log_metric('loss', {loss}); os._exit(0)"
    for rank, pod in enumerate(pods):
        said = code.format(name=f"rank-{rank}", loss=0.5 + rank)
        assert run_script(said, variables_of(pod), tmp_path)[0] == 0
    for pod in pods:
        world.kubelet.succeed(pod)
    training.until_over()
    runs = {run.info.run_name: run.info for run in world.tracking.runs_of(training.uid)}
    assert training.attempt(1)["runID"] == runs["rank-0"].run_id
    assert training.status["metrics"] == [{"name": "loss", "value": "0.5", "step": 0}]
    assert runs["rank-1"].run_id in training.condition("Tracked")["message"]
    assert {info.status for info in runs.values()} == {"FINISHED"}


def test_with_several_pods_that_start_no_run_their_end_counts_all_the_same(world: World) -> None:
    training = Training(world, nodes=2, tracking=ADOPT, retry=NEVER)
    for pod in training.start_nodes(2):
        world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert training.condition("Tracked")["reason"] == "RunMissing"
