"""Containers that a template adds beside the trainer: one that cannot run, or does not end, is told while it trains."""

from datetime import timedelta

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest
from modelyard.core.training_job import cures
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.outcome import TRAINER
from modelyard.core.unstarted import GRACE


def what_is_wrong(draft: Draft, pods: list[Manifest]) -> str:
    """What is to be said of them, after what is said of the trainer; nothing where they do well."""
    alive = [pod for pod in pods if not pod_state.is_over(pod)]
    lingering = next((said for pod in alive if (said := _lingers(draft, pod))), "")
    trouble = next((found for pod in alive if (found := pod_state.trouble(pod))), None)
    if trouble is None:
        return lingering
    draft.trouble = trouble.reason
    return f"{lingering}; {trouble.reason}: {cures.told(draft.spec, trouble)}"


def _lingers(draft: Draft, pod: Manifest) -> str:
    """That others keep a pod whose trainer has ended from being over; they may take a moment to end after it."""
    ended_at = (pod_state.terminated(pod, TRAINER) or {}).get("finishedAt")
    names = ", ".join(pod_state.still_running(pod))
    if not ended_at or not names:
        return ""
    left = GRACE - (draft.now - clock.from_text(ended_at))
    if left > timedelta(0):
        draft.look_within(left.total_seconds())
        return ""
    cure = "have it end with the trainer, or make it one of initContainers with restartPolicy Always"
    return f"; the trainer has ended, but its pod has not: spec.podTemplate.spec.containers[{names}]: {cure}"
