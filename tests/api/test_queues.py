"""A Job in a queue: whoever keeps the queue decides when it runs, and nobody is fought."""

import pytest

from support.kube import Manifest
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api


def job_of(training: Training, attempt: int) -> Manifest:
    """The attempt's Job, waited for."""
    labels = f"modelyard.io/owner-uid={training.uid},modelyard.io/attempt={attempt}"
    return training.world.until(lambda: training.world.items("Job", labels), f"the Job of attempt {attempt}")[0]


def let(training: Training, attempt: int, *, run: bool) -> None:
    """What Kueue does to a Job: let it run, or take it back."""
    training.world.patch("Job", job_of(training, attempt)["metadata"]["name"], suspend=not run)


def test_a_queued_training_runs_when_its_queue_says_so(world: World) -> None:
    training = Training(world, queueName="gpus", pendingDeadlineSeconds=6)
    job = job_of(training, 1)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    training.until_state("Queued")
    assert "queue gpus" in training.condition("Complete")["message"]
    world.at_no_time(lambda: training.pods(1) or training.state != "Queued", "it does not wait for its queue", 7)
    let(training, 1, run=True)
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert training.statuses_of_runs() == ["FINISHED"]


def test_what_its_queue_takes_back_is_queued_again_and_no_failure(world: World) -> None:
    training = Training(world, queueName="gpus", retry={"limit": 0})
    let(training, 1, run=True)
    training.start()
    let(training, 1, run=False)
    again = job_of(training, 2)
    assert again["spec"]["suspend"] is True
    # It is queued while the first attempt's pods end, too.
    world.until(lambda: training.attempt(1).get("reason") == "Requeued", "the first attempt is over")
    training.until_state("Queued")
    assert not training.pods(1)
    let(training, 2, run=True)
    world.kubelet.succeed(training.start(2))
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert "failures" not in training.status
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_a_queued_training_can_be_suspended_and_resumed(world: World) -> None:
    training = Training(world, queueName="gpus")
    training.until_state("Queued")
    world.patch("TrainingJob", "digits", suspend=True)
    world.until(lambda: training.condition("Suspended").get("reason") == "Suspended", "suspended")
    assert training.jobs() == []
    world.patch("TrainingJob", "digits", suspend=False)
    assert job_of(training, 2)["spec"]["suspend"] is True


def test_a_job_that_somebody_else_suspends_is_left_to_them(world: World) -> None:
    training = Training(world)
    training.pod()
    let(training, 1, run=False)
    said = lambda: training.condition("Complete").get("message", "")  # noqa: E731
    world.until(lambda: "by somebody else" in said(), "its pods have ended, and it says why it is held")
    assert training.state == "Queued"
    world.until(lambda: not training.pods(1), "its pod is gone")
    world.at_no_time(lambda: training.pods(1) or training.status["attempt"] != 1, "they are fought", 3)
    let(training, 1, run=True)
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.status["attempt"] == 1
