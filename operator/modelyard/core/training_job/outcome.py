"""How an attempt ended: its Job says that it did, its pod says how."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest
from modelyard.core.tracking import RunStatus
from modelyard.core.training_job import prepare

TRAINER = "trainer"
"""The name of the container that trains."""

_POD_GRACE = timedelta(seconds=10)
"""How long a failed Job may stand before its pod's word is no longer waited for: two watches, no common order."""


DISRUPTIONS = frozenset({"Evicted", "NodeLost", "Preempted"})
"""Reasons of the cluster's: such an end says nothing about the code and does not count against its limit."""
_KILLED = DISRUPTIONS | {"JobDeleted", "Suspended"}
"""Reasons that are not the code's own doing."""
_OURS = DISRUPTIONS | {"DeadlineExceeded", "JobDeleted", "PodLost", "Succeeded", "Suspended"}
"""Reasons that only cluster and operator give; a container that names one of them in its last words is not believed."""


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt."""

    reason: str
    exit_code: int | None = None
    message: str = ""
    node: str | None = None
    pod: str | None = None
    ended_at: datetime | None = None
    container: str | None = None
    """Which container failed, where it was not the trainer."""

    @property
    def is_success(self) -> bool:
        """Whether the attempt did what it was for."""
        return self.reason == "Succeeded"


def run_status_of(reason: str) -> RunStatus:
    """How the run ends: killed when the pod was taken away, failed when the code or its limits ended it."""
    if reason == "Succeeded":
        return RunStatus.FINISHED
    return RunStatus.KILLED if reason in _KILLED else RunStatus.FAILED


def is_finished(job: Manifest) -> bool:
    """Whether the Job is over."""
    return _condition(job, "Complete") is not None or _condition(job, "Failed") is not None


def outcome_of(job: Manifest, pods: list[Manifest], now: datetime, known: str | None = None) -> Outcome | None:
    """How a finished Job's attempt ended, or None while its pod's word is still awaited.

    `known` is why its pod was being taken away when it was last seen: pods that are preempted are gone before their Job
    is told as failed.
    """
    ended = next((pod for pod in pods if pod_state.is_over(pod)), None)
    complete = _condition(job, "Complete")
    if complete is not None:
        return _of_pod(ended, "Succeeded", complete) if ended else Outcome("Succeeded", 0, ended_at=_time(complete))
    failed = _condition(job, "Failed") or {}
    if ended is not None:
        return _explained(_of_pod(ended, "Failed", failed), ended, job)
    failed_at = _time(failed)
    if failed_at and now - failed_at < _POD_GRACE:
        return None
    if known in DISRUPTIONS:
        return Outcome(known, message="its pod was taken away before it could say more", ended_at=failed_at)
    return Outcome(
        "PodLost",
        message=f"its pod is gone, so how it ended is not known; the Job says {failed.get('reason') or 'Failed'}",
        ended_at=failed_at,
    )


def _of_pod(pod: Manifest, verdict: str, condition: dict[str, Any]) -> Outcome:
    """The outcome as the pod tells it; the Job's verdict decides."""
    ending = pod_state.ending(pod, TRAINER)
    is_claimed = ending.reason in _OURS and pod_state.disruption(pod) is None
    return Outcome(
        "Succeeded" if verdict == "Succeeded" else "Error" if is_claimed else ending.reason,
        ending.exit_code,
        ending.message,
        pod_state.node(pod),
        pod["metadata"]["name"],
        clock.from_text(ending.finished_at) if ending.finished_at else _time(condition),
        ending.container,
    )


def _explained(outcome: Outcome, pod: Manifest, job: Manifest) -> Outcome:
    """The outcome with a reason of its own where it was data preparation that failed."""
    found = prepare.failure(pod, pod_state.ending(pod, TRAINER), TRAINER, job)
    return replace(outcome, reason=found[0], message=found[1]) if found else outcome


def _condition(job: Manifest, kind: str) -> dict[str, Any] | None:
    """A condition of the Job that is true."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind and condition.get("status") == "True":
            return dict(condition)
    return None


def _time(condition: dict[str, Any]) -> datetime | None:
    """When a condition became true."""
    text = condition.get("lastTransitionTime")
    return clock.from_text(text) if text else None
