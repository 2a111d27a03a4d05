"""Runs that nobody will end any more: of TrainingJobs that are gone, and strays of attempts that are over."""

from collections.abc import Callable
from datetime import datetime

from modelyard.core import clock
from modelyard.core.plan import Failure, Manifest, Plan
from modelyard.core.tracking import AttemptIdentity, EndRun, FindOpenRuns, OpenRun, RunStatus
from modelyard.core.training_job import attempts, stops
from modelyard.core.training_job.draft import has_ended
from modelyard.core.training_job.observed import Observed

_RETRY_SECONDS = 10.0
"""Soon enough to be done within half a minute of MLflow's return, whose pauses between questions grow to 10 s."""


def plan_gone(observed: Observed, owner_uid: str, now: datetime, *, was_training: bool) -> Plan:
    """What to do once the TrainingJob with this UID is deleted: wait for its pods, then end its runs as killed.

    Where it was training, also those that its code ended as failed when its pods were told to stop: the deletion ended
    them, not the code. That takes a search of its own; open runs are looked for once for all that are deleted.
    """
    if attempts.has_live_pods(observed.pods):
        return Plan(recheck_after=stops.RECHECK_SECONDS)
    question = FindOpenRuns(observed.context.cluster, owner_uid if was_training else None)
    return _end_runs(observed, question, lambda run: run.identity.owner_uid == owner_uid, now)


def plan_orphans(observed: Observed, may_run: Callable[[AttemptIdentity], bool], now: datetime) -> Plan:
    """End, as killed, this cluster's runs whose attempt is over.

    Runs of TrainingJobs that were deleted while no operator looked, and further runs that the code of an attempt
    started and left open.
    """
    question = FindOpenRuns(observed.context.cluster)
    return _end_runs(observed, question, lambda run: not may_run(run.identity), now)


def is_under_way(resource: Manifest, attempt: int) -> bool:
    """Whether this attempt of a TrainingJob runs, or is about to: its run is made before any status tells of it."""
    status = resource.get("status") or {}
    if has_ended(status):
        return False
    records = {int(record["number"]): record for record in status.get("attempts") or []}
    if attempt in records:
        return not attempts.is_closed(records[attempt])
    return attempt > max(records, default=0)


def _end_runs(
    observed: Observed, question: FindOpenRuns, is_concerned: Callable[[OpenRun], bool], now: datetime
) -> Plan:
    """Find the runs in question and end those concerned."""
    if question not in observed.answers:
        return Plan(questions=(question,))
    runs = observed.answers[question]
    if isinstance(runs, Failure):
        return Plan(recheck_after=_RETRY_SECONDS)
    ends = [EndRun(run.run_id, RunStatus.KILLED, clock.to_milliseconds(now)) for run in runs if is_concerned(run)]
    has_failed = any(isinstance(observed.answers.get(end), Failure) for end in ends)
    return Plan(
        questions=tuple(end for end in ends if end not in observed.answers),
        recheck_after=_RETRY_SECONDS if has_failed else None,
    )
