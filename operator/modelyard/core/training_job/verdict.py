"""Whether an attempt that did not succeed is the last one, and what to say then."""

from modelyard.core.conditions import last_words
from modelyard.core.training_job import deadline, retry, stops
from modelyard.core.training_job.draft import Draft, Record

UNCOUNTED = frozenset({stops.SUSPENDED, stops.REQUEUED, stops.DEADLINE})
"""Ends that the operator brought about: they are no failures."""


def why_final(draft: Draft, record: Record) -> str | None:
    """The reason why no attempt follows this newest one; None when one may."""
    if record.get("ending") == stops.PENDING_DEADLINE:
        return stops.PENDING_DEADLINE
    if deadline.is_used_up(draft, []):
        return stops.DEADLINE
    return retry.why_not(draft.spec.retry, draft.status, record)


def last_word(draft: Draft, record: Record, reason: str) -> str:
    """What a person wants to know of the end."""
    number, told = record["number"], how_it_ended(record)
    if reason == stops.PENDING_DEADLINE:
        most = draft.spec.pending_deadline_seconds
        said = f"attempt {number} did not start within spec.pendingDeadlineSeconds ({most})"
        return said if record["reason"] == stops.PENDING_DEADLINE else f"{said}: {told}"
    if reason == stops.DEADLINE:
        used, most = draft.status.get("activeSeconds", 0), draft.spec.active_deadline_seconds
        ended = "was stopped" if record["reason"] == stops.DEADLINE else f"ended: {told}"
        return f"it ran for {used} s, spec.activeDeadlineSeconds is {most}; attempt {number} {ended}"
    counted = f"attempt {number}"
    if reason == "RetryLimitExceeded":
        failures, most = draft.status.get("failures", 0), draft.spec.retry.limit + 1
        counted += f" of {most}" if number == failures else f", failure {failures} of {most}"
    return f"{counted}: {told}; see kubectl logs {_place_of_log(draft, record)}"


def how_it_ended(record: Record) -> str:
    """How an attempt ended, for a person."""
    code = f" (exit code {record['exitCode']})" if record.get("exitCode") is not None else ""
    detail = f": {last_words(record['message'], 300)}" if record.get("message") else ""
    return f"{record.get('reason', 'unknown')}{code}{detail}"


def _place_of_log(draft: Draft, record: Record) -> str:
    """What kubectl logs wants to be told: of several pods, that of the pod that failed."""
    pod = record.get("pod") if draft.spec.nodes > 1 else None
    container = f" -c {record['container']}" if record.get("container") else ""
    return f"{pod or 'job/' + record['job']}{container} -n {draft.namespace}"
