"""A Job that waits in a queue: it is suspended until whoever keeps the queue, such as Kueue, lets it run."""

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import pod_state
from modelyard.core.plan import Manifest
from modelyard.core.training_job.draft import Draft, Record

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


def queued(job: Manifest, spec: TrainingJobSpec) -> Manifest:
    """The Job as its queue wants it: labelled, and suspended until the queue says otherwise."""
    if not spec.queue_name:
        return job
    # The label is the Job's alone: on pods it would make a queue of pods look after each of them, too.
    body = job["metadata"] | {"labels": job["metadata"]["labels"] | {QUEUE_LABEL: spec.queue_name}}
    return job | {"metadata": body, "spec": job["spec"] | {"suspend": True}}


def is_held(job: Manifest) -> bool:
    """Whether the Job is suspended."""
    return bool((job.get("spec") or {}).get("suspend"))


def is_taken_up(job: Manifest) -> bool:
    """Whether the Job controller knows that the Job may run: for a moment it still says that it is suspended."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return not any(item.get("type") == "Suspended" and item.get("status") == "True" for item in conditions)


def has_been_taken_back(record: Record, job: Manifest, pods: list[Manifest]) -> bool:
    """Whether the Job is suspended again after its pods ran, and they have ended."""
    return is_held(job) and bool(record.get("node")) and all(pod_state.is_over(pod) for pod in pods)


def say(draft: Draft, record: Record, pods: list[Manifest]) -> None:
    """Say that the attempt is held; who let its Job run, or suspended it again, is not fought."""
    number, name = record["number"], draft.spec.queue_name
    if any(not pod_state.is_over(pod) for pod in pods):
        draft.set_state("Queued", f"attempt {number}: its Job was suspended and its pods are ending")
    elif name:
        draft.set_state("Queued", f"attempt {number} waits in queue {name} (spec.queueName)")
    else:
        draft.set_state("Queued", f"attempt {number}: its Job was suspended, by somebody else than this operator")
