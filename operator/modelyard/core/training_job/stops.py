"""Taking an attempt's pods away before their end: why, how, and what is said of it."""

from modelyard.core import pod_state
from modelyard.core.plan import Manifest
from modelyard.core.training_job import cures, deadline, pending, queue
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.outcome import Outcome

SUSPENDED = "Suspended"
REQUEUED = "Requeued"
DEADLINE = "DeadlineExceeded"
PENDING_DEADLINE = "PendingDeadlineExceeded"
_ALL = frozenset({SUSPENDED, REQUEUED, DEADLINE, PENDING_DEADLINE})

RECHECK_SECONDS = 5.0
"""How often pods that are ending are looked at, should a watch event be lost."""
AT_ONCE_SECONDS = 0.1
"""Until the next step of something that takes two."""


def why(draft: Draft, record: Record, job: Manifest | None, pods: list[Manifest]) -> str | None:
    """Why the attempt is to be stopped, to the end even if the reason for it went meanwhile; None to let it be."""
    if record.get("ending") in _ALL:
        return str(record["ending"])
    if draft.spec.suspend:
        return SUSPENDED
    if job is None:
        return None
    if queue.is_held(job):
        return REQUEUED if queue.has_been_taken_back(record, job, pods) else None
    if deadline.is_used_up(draft, pods):
        return DEADLINE
    return PENDING_DEADLINE if deadline.has_waited_too_long(draft, record, job, pods) else None


def stop(draft: Draft, record: Record, job: Manifest | None, pods: list[Manifest], reason: str) -> Outcome | None:
    """Take the attempt's pods away, leaving them their grace period; how it ended, once they are gone.

    It is written down first and done then: after a crash, a Job that is gone must not look like someone else's deed.
    """
    was_told = record.get("ending") == reason
    if not was_told:
        _note(draft, record, job, pods, reason)
    _say(draft, record, reason)
    draft.recheck_after = RECHECK_SECONDS if was_told else AT_ONCE_SECONDS
    if job is not None and was_told and not job["metadata"].get("deletionTimestamp"):
        draft.delete.append(draft.ref("batch/v1", "Job", job["metadata"]["name"], job["metadata"]["uid"]))
    if job is not None or not was_told or any(not pod_state.is_over(pod) for pod in pods):
        return None
    return _outcome(draft, record, reason)


def _note(draft: Draft, record: Record, job: Manifest | None, pods: list[Manifest], reason: str) -> None:
    """Keep what only its pods can tell; the clock of its running time stops here."""
    record["ending"] = reason
    if seconds := deadline.running_seconds(pods, draft.now):
        record["activeSeconds"] = seconds
    if reason == PENDING_DEADLINE and job is not None:
        trouble = pending.trouble_of(draft, job, pods, draft.age_of(record))
        if trouble:
            record["trouble"], record["message"] = trouble.reason, cures.told(draft.spec, trouble)


def _say(draft: Draft, record: Record, reason: str) -> None:
    """Say that the attempt is being stopped."""
    state = {SUSPENDED: "Suspended", REQUEUED: "Queued", PENDING_DEADLINE: "Pending"}.get(reason, "Running")
    if reason == SUSPENDED:
        draft.set_state(state, f"attempt {record['number']} is being stopped")
        draft.conditions.false("Suspended", "Stopping", "the pods are being stopped")
        return
    draft.set_state(state, f"attempt {record['number']} is being stopped: {reason}")
    if reason != REQUEUED:
        draft.trouble = record.get("trouble") or reason


def _outcome(draft: Draft, record: Record, reason: str) -> Outcome:
    """How an attempt ended that was stopped."""
    if reason == SUSPENDED:
        return Outcome(reason, message="stopped by spec.suspend")
    if reason == REQUEUED:
        return Outcome(reason, message="its Job was suspended while it ran")
    if reason == DEADLINE:
        return Outcome(reason, message=f"spec.activeDeadlineSeconds ({draft.spec.active_deadline_seconds}) is used up")
    unknown = f"it did not start within spec.pendingDeadlineSeconds ({draft.spec.pending_deadline_seconds})"
    return Outcome(record.get("trouble") or reason, message=record.get("message") or unknown)
