"""How an attempt ended: its Job says that it did, its pod says how."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest
from modelyard.core.tracking import RunStatus

TRAINER = "trainer"
"""The name of the container that trains."""

_POD_GRACE = timedelta(seconds=10)
"""How long a failed Job may stand before its pod's word is no longer waited for: two watches, no common order."""


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt."""

    reason: str
    run_status: RunStatus
    exit_code: int | None = None
    message: str = ""
    node: str | None = None
    pod: str | None = None
    ended_at: datetime | None = None

    @property
    def is_success(self) -> bool:
        """Whether the attempt did what it was for."""
        return self.run_status is RunStatus.FINISHED


def is_finished(job: Manifest) -> bool:
    """Whether the Job is over."""
    return _condition(job, "Complete") is not None or _condition(job, "Failed") is not None


def outcome_of(job: Manifest, pods: list[Manifest], now: datetime) -> Outcome | None:
    """How a finished Job's attempt ended, or None while its pod's word is still awaited."""
    ended = next((pod for pod in pods if pod_state.is_over(pod)), None)
    complete = _condition(job, "Complete")
    if complete is not None:
        return (
            _of_pod(ended, "Succeeded", complete)
            if ended
            else Outcome("Succeeded", RunStatus.FINISHED, 0, ended_at=_time(complete))
        )
    failed = _condition(job, "Failed") or {}
    if ended is not None:
        return _of_pod(ended, "Failed", failed)
    failed_at = _time(failed)
    if failed_at and now - failed_at < _POD_GRACE:
        return None
    return Outcome(
        "PodLost",
        RunStatus.FAILED,
        message=f"its pod is gone, so how it ended is not known; the Job says {failed.get('reason') or 'Failed'}",
        ended_at=failed_at,
    )


def _of_pod(pod: Manifest, verdict: str, condition: dict[str, Any]) -> Outcome:
    """The outcome as the pod tells it; the Job's verdict decides."""
    ending = pod_state.ending(pod, TRAINER)
    is_success = verdict == "Succeeded"
    return Outcome(
        "Succeeded" if is_success else ("Error" if ending.reason == "Succeeded" else ending.reason),
        RunStatus.FINISHED if is_success else _status_for(ending.reason),
        ending.exit_code,
        ending.message,
        pod_state.node(pod),
        pod["metadata"]["name"],
        clock.from_text(ending.finished_at) if ending.finished_at else _time(condition),
    )


def _status_for(reason: str) -> RunStatus:
    """How the run ends: killed when the cluster took the pod away, failed when the code or its limits did."""
    return RunStatus.KILLED if reason in {"Evicted", "Preempted", "NodeLost"} else RunStatus.FAILED


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
