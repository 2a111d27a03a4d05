"""A Job in a queue waits for whoever keeps it, and nobody is fought."""

import pytest

from builders import PodBuilder, make_job, make_pod, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.training_job import queue

RESOURCE = make_training_job().build()
JOB = make_job(RESOURCE).changed("spec", to={"template": {"metadata": {"labels": {"a": "b"}}}}).build()


def test_a_job_for_a_queue_is_suspended_and_labelled_and_its_pods_are_not() -> None:
    spec = TrainingJobSpec.model_validate(RESOURCE["spec"] | {"queueName": "gpus"})
    made = queue.queued(JOB, spec)
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert made["spec"] == {"template": {"metadata": {"labels": {"a": "b"}}}, "suspend": True}
    assert queue.is_held(made)


def test_without_a_queue_a_job_is_as_it_was() -> None:
    assert queue.queued(JOB, TrainingJobSpec.model_validate(RESOURCE["spec"])) is JOB
    assert not queue.is_held(JOB)


@pytest.mark.parametrize(
    ("suspend", "node", "pods", "is_back"),
    [
        (True, "node-1", [], True),
        (True, "node-1", [make_pod(RESOURCE).failed()], True),
        (True, "node-1", [make_pod(RESOURCE).running().terminating()], False),
        (True, None, [], False),
        (False, "node-1", [], False),
    ],
    ids=["ran and gone", "ran and over", "still ending", "never ran", "not suspended"],
)
def test_a_job_is_taken_back_once_its_pods_have_ended(
    suspend: bool, node: str | None, pods: list[PodBuilder], is_back: bool
) -> None:
    job = make_job(RESOURCE).changed("spec", to={"suspend": suspend}).build()
    record = {"number": 1} | ({"node": node} if node else {})
    assert queue.has_been_taken_back(record, job, [pod.build() for pod in pods]) is is_back
