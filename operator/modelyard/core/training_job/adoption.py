"""runPolicy Adopt: the code starts an attempt's run itself; it is found by the tags that its environment gave it."""

from modelyard.core.plan import Failure
from modelyard.core.tracking import FindRuns, Run
from modelyard.core.training_job.draft import Draft, Record

LOOK_SECONDS = 15.0
"""How often the run of an attempt that is under way is looked for."""
_MOST_LISTED = 5


def look(draft: Draft, record: Record) -> None:
    """Find the run of an attempt that is under way; what MLflow cannot tell now it tells later."""
    if not draft.spec.tracking.is_adopted or record.get("runID"):
        return
    found = draft.ask(FindRuns(draft.identity(record["number"])))
    if isinstance(found, Failure) or not found:
        number = record["number"]
        draft.conditions.false("Tracked", "RunAwaited", f"attempt {number}: the code has not started its run yet")
        draft.look_within(LOOK_SECONDS)
    else:
        _take(draft, record, found[0])


def settle(draft: Draft, record: Record) -> str:
    """Find the run of an attempt that is over; returns what is to be said of it beyond how it ended.

    The first that the code started is the attempt's, and stays it.

    Raises:
        Waiting: MLflow must answer first.
    """
    number = record["number"]
    found = draft.ask_or_wait(FindRuns(draft.identity(number)))
    if isinstance(found, Failure):
        record.setdefault("runStatus", "UNKNOWN")
        draft.conditions.false("Tracked", found.reason, found.message)
        return ""
    if not found and not record.get("runID"):
        record["runStatus"] = "NONE"
        cure = "call mlflow.start_run() in the code, or leave out spec.tracking.runPolicy"
        draft.conditions.false("Tracked", "RunMissing", f"attempt {number} started no run: {cure}")
        return ""
    if not record.get("runID"):
        _take(draft, record, found[0])
    others = [run.run_id for run in found if run.run_id != record["runID"]]
    return _told(others)


def _take(draft: Draft, record: Record, run: Run) -> None:
    """This one is the attempt's."""
    record["runID"] = run.run_id
    draft.set_tracking(record["number"], run.experiment_id, run.run_id)


def _told(others: list[str]) -> str:
    """What is said of runs that the code started after the attempt's."""
    if not others:
        return ""
    listed = ", ".join(others[:_MOST_LISTED]) + (", …" if len(others) > _MOST_LISTED else "")
    return f"; the first of {len(others) + 1} runs that its code started; the others: {listed}"
