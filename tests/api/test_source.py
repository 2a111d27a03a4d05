"""Code from a git repository, on a real API server: the commit in status and on the runs, and every attempt runs it."""

import json

import pytest

from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = {"git": {"url": "https://git.example.com/team/digits.git", "revision": "main"}}
ONCE_MORE = {"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
FETCHED = json.dumps({"revision": COMMIT, "seconds": 0.4})


def arguments_of(training: Training, attempt: int) -> list[str]:
    """What the init container of an attempt is told."""
    args: list[str] = training.pod(attempt)["spec"]["initContainers"][0]["args"]
    return args


def test_every_attempt_runs_the_commit_of_the_first_and_says_which(world: World) -> None:
    training = Training(world, source=GIT, retry=ONCE_MORE)
    assert "--revision=main" in arguments_of(training, 1)
    pod = training.pod()
    world.kubelet.run_helper(pod, "modelyard-source")
    world.kubelet.end_helper(pod, "modelyard-source", message=FETCHED)
    pod = training.start()
    world.until(lambda: training.status.get("sourceRevision") == COMMIT, "the commit is in status")
    world.kubelet.fail(pod)
    assert f"--revision={COMMIT}" in arguments_of(training, 2)
    world.kubelet.succeed(training.start(2))
    training.until_over()
    assert training.status["sourceRevision"] == COMMIT
    for run in world.tracking.runs_of(training.uid):
        assert run.data.tags["mlflow.source.git.commit"] == COMMIT
        assert run.data.tags["mlflow.source.git.repoURL"] == GIT["git"]["url"]
        assert run.data.tags["mlflow.source.git.branch"] == "main"


def test_a_source_that_cannot_be_fetched_is_the_attempts_reason_and_names_the_field(world: World) -> None:
    training = Training(world, source=GIT, retry={"limit": 0})
    message = "spec.source.git.revision: https://git.example.com/team/digits.git has no branch or tag main"
    pod = training.pod()
    world.kubelet.run_helper(pod, "modelyard-source")
    world.kubelet.end_helper(pod, "modelyard-source", 1, json.dumps({"reason": "SourceFailed", "message": message}))
    training.until_over()
    assert training.attempt(1)["reason"] == "SourceFailed"
    assert message in training.condition("Failed")["message"]
    assert "sourceRevision" not in training.status
    assert training.statuses_of_runs() == ["FAILED"]


def test_parameters_that_do_not_fit_the_project_are_the_attempts_reason(world: World) -> None:
    project = {"trainer": {}, "mlproject": {"entryPoint": "main"}, "source": GIT}
    training = Training(world, **project, retry={"limit": 0})
    message = "spec.parameters: rate is 'much', but the MLproject file wants a number (float)"
    pod = training.pod()
    world.kubelet.run_helper(pod, "modelyard-project")
    world.kubelet.end_helper(pod, "modelyard-project", 1, json.dumps({"reason": "ProjectInvalid", "message": message}))
    training.until_over()
    assert training.attempt(1)["reason"] == "ProjectInvalid"
    assert message in training.condition("Failed")["message"]
    (run,) = world.tracking.runs_of(training.uid)
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    assert run.data.tags["mlflow.source.type"] == "PROJECT"
