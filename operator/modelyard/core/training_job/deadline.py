"""The two clocks of a training: how long it ran, and how long an attempt has been waiting to run.

Both may be late and are never early. `now` is the API server's time, as are the times of Jobs and of scheduling; what
a node says of its pods is told by its own clock. A kubelet cannot have seen a pod before that was scheduled: where it
says so, its clock is behind, by at least so much, and its times are corrected by that. A clock ahead makes things late.
What remains is the moment that a kubelet takes to see a pod that it was given.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest
from modelyard.core.training_job import distributed, queue
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.outcome import TRAINER

_STATUSES = ("initContainerStatuses", "containerStatuses")


def is_used_up(draft: Draft, pods: list[Manifest]) -> bool:
    """Whether the running time of all attempts, this one's pods included, is over; else it is looked at in time."""
    most = draft.spec.active_deadline_seconds
    if most is None:
        return False
    left = float(most - draft.status.get("activeSeconds", 0) - running_seconds(pods, draft.now))
    if left > 0 and any(True for pod in pods for _ in _starts(pod)):
        draft.look_within(left)
    return left <= 0


def running_seconds(pods: list[Manifest], now: datetime) -> int:
    """How long the pods of one attempt have run, from the first container's start to the last one's end or to now."""
    starts = [start for pod in pods for start in _starts(pod)]
    if not starts:
        return 0
    ends = [end for pod in pods for end in _ends(pod)]
    end = max(ends) if all(pod_state.is_over(pod) for pod in pods) and ends else now
    return max(0, int((end - min(starts)).total_seconds()))


def has_waited_too_long(draft: Draft, record: Record, job: Manifest, pods: list[Manifest]) -> bool:
    """Whether the attempt should have started by now; else it is looked at in time."""
    most = draft.spec.pending_deadline_seconds
    if most is None or not _is_waiting(pods, draft.spec.nodes) or not queue.is_taken_up(job):
        return False
    left = most - (draft.now - _waiting_since(record, job, pods)).total_seconds()
    if left > 0:
        draft.look_within(left)
    return left <= 0


def has_been_refused_too_long(draft: Draft) -> bool:
    """Whether the API server has been refusing the next attempt's Job all the time; else it is looked at in time."""
    most, newest = draft.spec.pending_deadline_seconds, draft.newest_record()
    if most is None or (newest and not newest.get("reason")):
        return False
    since = draft.status.setdefault("refusedSince", clock.to_text(draft.now))
    left = most - (draft.now - clock.from_text(since)).total_seconds()
    if left > 0:
        draft.look_within(left)
    return left <= 0


def _is_waiting(pods: list[Manifest], wanted: int) -> bool:
    """Whether a pod is missing, or one waits and does nothing: a container that prepares is no waiting."""
    if distributed.count(pods) < wanted:
        return True
    return not any(map(_prepares, pods)) and any(
        not pod_state.is_started(pod, TRAINER) and not pod_state.is_over(pod) for pod in pods
    )


def _prepares(pod: Manifest) -> bool:
    """Whether an init container runs that is to end before the trainer begins."""
    declared = (pod.get("spec") or {}).get("initContainers") or []
    sidecars = {item.get("name") for item in declared if item.get("restartPolicy") == "Always"}
    items = (item for item in _items(pod, _STATUSES[:1]) if item.get("name") not in sidecars)
    return any("running" in (item.get("state") or {}) for item in items)


def _waiting_since(record: Record, job: Manifest, pods: list[Manifest]) -> datetime:
    """The latest moment at which the waiting may have begun."""
    told = [record["startTime"], (job.get("status") or {}).get("startTime")]
    told += [pod["metadata"].get("creationTimestamp") for pod in pods]
    moments = [clock.from_text(text) for text in told if text]
    prepared = (end for pod in pods for end in _ends(pod, _STATUSES[:1]))
    return max([*moments, *prepared])


def _starts(pod: Manifest) -> Iterator[datetime]:
    """When containers of a pod started."""
    lag = _lag(pod)
    for item in _items(pod, _STATUSES):
        state = item.get("state") or {}
        at = (state.get("running") or state.get("terminated") or {}).get("startedAt")
        if at:
            yield clock.from_text(at) + lag


def _ends(pod: Manifest, lists: tuple[str, ...] = _STATUSES) -> Iterator[datetime]:
    """When containers of a pod ended."""
    lag = _lag(pod)
    for item in _items(pod, lists):
        at = ((item.get("state") or {}).get("terminated") or {}).get("finishedAt")
        if at:
            yield clock.from_text(at) + lag


def _items(pod: Manifest, lists: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """The statuses of a pod's containers."""
    status = pod.get("status") or {}
    for name in lists:
        yield from status.get(name) or []


def _lag(pod: Manifest) -> timedelta:
    """How far the node's clock is behind at least."""
    status = pod.get("status") or {}
    seen, scheduled = status.get("startTime"), _scheduled_at(status)
    if not seen or not scheduled:
        return timedelta(0)
    return max(timedelta(0), clock.from_text(scheduled) - clock.from_text(seen))


def _scheduled_at(status: Mapping[str, Any]) -> str | None:
    """When the pod was given to its node, by the API server's or the scheduler's clock."""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "True":
            return condition.get("lastTransitionTime") or None
    return None
