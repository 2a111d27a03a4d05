"""How an attempt ended: its Job says that it did, its pod says how."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest
from modelyard.core.tracking import RunStatus
from modelyard.core.training_job import distributed, prepare

TRAINER = "trainer"
"""The name of the container that trains."""

_POD_GRACE = timedelta(seconds=10)
"""How long a failed Job may stand before its pod's word is no longer waited for: two watches, no common order."""


DISRUPTIONS = frozenset({"Evicted", "NodeLost", "Preempted"})
"""Reasons of the cluster's: such an end says nothing about the code and does not count against its limit."""
_KILLED = DISRUPTIONS | {"DeadlineExceeded", "JobDeleted", "PendingDeadlineExceeded", "Requeued", "Suspended"}
"""Reasons that are not the code's own doing."""
_OURS = _KILLED | {"PodLost", "Succeeded"}
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
    image_id: str | None = None
    """The image that the trainer ran, by its digest."""

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
    """How a finished Job's attempt ended, or None while its pods' word is still awaited.

    `known` is why its pod was being taken away when it was last seen: pods that are preempted are gone before their Job
    is told as failed.
    """
    ended = [pod for pod in pods if pod_state.is_over(pod)]
    complete = _condition(job, "Complete")
    if complete is not None:
        pod = distributed.first(ended)
        return _of_pod(pod, "Succeeded", complete) if pod else Outcome("Succeeded", 0, ended_at=_time(complete))
    failed = _condition(job, "Failed") or {}
    failed_at = _time(failed)
    may_wait = failed_at is not None and now - failed_at < _POD_GRACE
    if may_wait and not (ended and len(ended) == len(pods)):
        return None
    taken = Outcome(known or "", message="its pod was taken away before it could say more", ended_at=failed_at)
    if ended:
        outcome = _of_several(job, ended, failed)
        is_consequence = known in DISRUPTIONS and outcome.reason not in DISRUPTIONS and _count(job) > 1
        return taken if is_consequence else outcome
    if known in DISRUPTIONS:
        return taken
    return Outcome(
        "PodLost",
        message=f"its pod is gone, so how it ended is not known; the Job says {failed.get('reason') or 'Failed'}",
        ended_at=failed_at,
    )


def _of_several(job: Manifest, ended: list[Manifest], failed: dict[str, Any]) -> Outcome:
    """The outcome as the pod tells it that failed first; of several pods its index is told too."""
    pod = min([pod for pod in ended if pod_state.phase(pod) == "Failed"] or ended, key=_nearness_to_the_cause)
    outcome = _explained(_of_pod(pod, "Failed", failed), pod, job)
    if _count(job) == 1:
        return outcome
    where = f"pod {distributed.index_of(pod)} of {_count(job)} failed first"
    return replace(outcome, message=f"{where}: {outcome.message}" if outcome.message else where)


def _count(job: Manifest) -> int:
    """How many pods the Job has."""
    return (job.get("spec") or {}).get("completions") or 1


def _nearness_to_the_cause(pod: Manifest) -> tuple[bool, bool, str, bool, int]:
    """Sorts pods that failed: what the cluster took away, what was not stopped because of the others, then by time.

    Times are whole seconds. Within one, a reason of its own says more than an error, which others' ends can cause.
    """
    ending = pod_state.ending(pod, TRAINER)
    is_error = ending.reason == "Error"
    was_stopped = bool(pod["metadata"].get("deletionTimestamp")) and is_error
    when = ending.finished_at or ("9" if is_error else "")
    return ending.reason not in DISRUPTIONS, was_stopped, when, is_error, distributed.index_of(pod)


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
        pod_state.image_id(pod, TRAINER),
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
