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
    running = world.tracking.run(training.run_id())
    assert (running.info.status, running.data.tags["mlflow.source.git.commit"]) == ("RUNNING", COMMIT)
    world.kubelet.fail(pod)
    assert f"--revision={COMMIT}" in arguments_of(training, 2)
    world.kubelet.succeed(training.start(2))
    training.until_over()
    assert training.status["sourceRevision"] == COMMIT
    for run in world.tracking.runs_of(training.uid):
        assert run.data.tags["mlflow.source.git.commit"] == COMMIT
        assert run.data.tags["mlflow.source.git.repoURL"] == GIT["git"]["url"]
        assert run.data.tags["mlflow.source.git.branch"] == "main"


def fail_helper(training: Training, helper: str, reason: str, message: str, attempt: int = 1) -> None:
    """What an init container of the attempt says in vain."""
    pod = training.pod(attempt)
    training.world.kubelet.run_helper(pod, helper)
    training.world.kubelet.end_helper(pod, helper, 1, json.dumps({"reason": reason, "message": message}))


def test_a_server_that_does_not_answer_is_asked_again_by_a_further_attempt(world: World) -> None:
    training = Training(world, source=GIT, retry=ONCE_MORE)
    message = "spec.source.git.url: https://git.example.com/team/digits.git does not answer"
    for attempt in (1, 2):
        fail_helper(training, "modelyard-source", "SourceFailed", message, attempt)
    training.until_over()
    assert training.condition("Failed")["reason"] == "RetryLimitExceeded"
    assert message in training.condition("Failed")["message"]
    assert [item["reason"] for item in training.status["attempts"]] == ["SourceFailed", "SourceFailed"]
    assert "sourceRevision" not in training.status
    assert training.statuses_of_runs() == ["FAILED", "FAILED"]


IN_VAIN = {
    "SourceInvalid": (
        "modelyard-source",
        "spec.source.git.revision: https://git.example.com/team/digits.git has no branch or tag main",
    ),
    "ProjectInvalid": (
        "modelyard-project",
        "spec.parameters: rate is 'much', but the MLproject file wants a number (float)",
    ),
}


@pytest.mark.parametrize("reason", IN_VAIN)
def test_what_no_further_attempt_would_find_ends_the_job_at_once(world: World, reason: str) -> None:
    helper, message = IN_VAIN[reason]
    training = Training(world, trainer={}, mlproject={"entryPoint": "main"}, source=GIT, retry={"limit": 5})
    fail_helper(training, helper, reason, message)
    training.until_over()
    assert training.status["attempt"] == 1
    failed = training.condition("Failed")
    assert (failed["reason"], training.attempt(1)["reason"]) == (reason, reason)
    assert message in failed["message"]
    assert f"kubectl logs job/{training.attempt(1)['job']} -c {helper} -n {world.namespace}" in failed["message"]
    (run,) = world.tracking.runs_of(training.uid)
    assert run.info.status == "FAILED"
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    assert run.data.tags["mlflow.source.type"] == "PROJECT"


def test_values_of_the_mlproject_file_are_parameters_of_the_run_where_nobody_gave_or_logged_others(
    world: World,
) -> None:
    given = [{"name": "depth", "value": "3"}]
    training = Training(world, trainer={}, mlproject={}, source=GIT, parameters=given)
    pod = training.pod()
    world.kubelet.run_helper(pod, "modelyard-project")
    said = {"entryPoint": "main", "defaults": {"depth": "8", "rate": "1e-3", "note": "none"}}
    world.kubelet.end_helper(pod, "modelyard-project", message=json.dumps(said))
    pod = training.start()
    world.tracking.client.log_param(training.run_id(), "rate", 0.001)
    world.kubelet.succeed(pod)
    training.until_over()
    (run,) = world.tracking.runs_of(training.uid)
    assert run.data.params == {"depth": "3", "rate": "0.001", "note": "none"}
