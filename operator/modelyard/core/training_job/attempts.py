"""The steps of an attempt: begun, followed, stopped, closed."""

from collections.abc import Iterable

from modelyard.core import clock, metadata, pod_state, unstarted
from modelyard.core.conditions import in_bytes
from modelyard.core.plan import Failure, Manifest
from modelyard.core.serving import ReadObject, is_owned_by
from modelyard.core.tracking import Metric, ReadMetrics
from modelyard.core.training_job import (
    adoption,
    companions,
    distributed,
    memory,
    pending,
    prepare,
    queue,
    runs,
    source,
    stops,
    system_metrics,
)
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.job import build_job
from modelyard.core.training_job.outcome import TRAINER, Outcome

_MESSAGE_BYTES = 640
"""Of an attempt's message: as much as is passed on of a container's last words."""
LIVE_METRICS_SECONDS = 60.0
"""How often the metrics of a running attempt are mirrored."""


def begin(draft: Draft, number: int) -> None:
    """Make the attempt's run, then its Job, then remember both."""
    draft.set_state("Pending", f"attempt {number} begins")
    run = runs.of_attempt(draft, number)
    limit = memory.next_limit(draft.spec, draft.newest_record())
    spec = source.at_commit(memory.with_limit(draft.spec, limit), draft.status.get("sourceRevision"))
    job = queue.queued(build_job(draft.resource, spec, draft.identity(number), run, draft.context), spec)
    draft.create += [*_missing_services(draft), job]
    record = {"number": number, "job": job["metadata"]["name"], "startTime": clock.to_text(draft.now)}
    known = {"runID": run.run_id, "memory": limit}
    draft.add_record(record | {name: value for name, value in known.items() if value})
    draft.set_tracking(number, run.experiment_id, run.run_id)
    draft.is_quiet = _begins_quietly(draft, number)
    draft.recheck_after = unstarted.GRACE.total_seconds()


def write_down_unbegun(draft: Draft, outcome: Outcome) -> None:
    """Keep that an attempt waited in vain for its Job; the plan that was refused knows the run that was made for it."""
    number, since = draft.newest_number() + 1, draft.status["refusedSince"]
    run = runs.of_attempt(draft, number)
    job = metadata.job_name(draft.resource, number)
    record = draft.add_record({"number": number, "job": job, "startTime": since})
    record |= {"runID": run.run_id} if run.run_id else {}
    draft.set_tracking(number, run.experiment_id, run.run_id)
    write_down(draft, record, outcome)
    record["ending"] = stops.PENDING_DEADLINE


def _begins_quietly(draft: Draft, number: int) -> bool:
    """Whether a start's first seconds are told by its Job alone, because it takes another write.

    A retry does, a Service does, and that the data is being prepared is told too.
    """
    return number > 1 or draft.spec.nodes > 1 or draft.spec.prepare is not None


def _missing_services(draft: Draft) -> list[Manifest]:
    """The Service of several pods, unless it is there."""
    return distributed.missing_services(draft.resource, draft.spec, draft.observed.services)


def follow(draft: Draft, record: Record, job: Manifest, pods: list[Manifest]) -> None:
    """Say how far the attempt has come."""
    number = record["number"]
    if _is_taken_away(draft, record, pods):
        return
    draft.create += _missing_services(draft)
    if queue.is_held(job):
        queue.say(draft, record, pods)
        return
    started = [pod for pod in pods if pod_state.is_started(pod, TRAINER)]
    if distributed.count(started) == draft.spec.nodes:
        _say_that_it_runs(draft, record, started)
        _mirror_live(draft, record)
        adoption.look(draft, record)
        runs.tell_commit(draft, record)
        return
    age = draft.age_of(record)
    if age < unstarted.GRACE:
        draft.set_state("Pending", f"attempt {number} begins")
        draft.is_quiet = _begins_quietly(draft, number)
        draft.look_within((unstarted.GRACE - age).total_seconds())
        return
    is_between = any(prepare.has_just_ended(pod, draft.now, unstarted.GRACE) for pod in pods)
    if is_between or any(prepare.is_running(pod) for pod in pods):
        draft.set_state("Preparing", prepare.progress(number, record["job"], draft.namespace))
        if is_between:
            draft.is_quiet = True
            draft.look_within(unstarted.GRACE.total_seconds())
        return
    pending.say_why(draft, number, job, pods, age)


def _say_that_it_runs(draft: Draft, record: Record, started: list[Manifest]) -> None:
    """All its pods were seen running; where, is told of the first one."""
    first = distributed.first(started) or {}
    node = pod_state.node(first)
    known = {"node": node, "imageID": pod_state.image_id(first, TRAINER)}
    record |= {name: value for name, value in known.items() if value}
    several = f" in {draft.spec.nodes} pods" if draft.spec.nodes > 1 else ""
    where = f"{', the first' if several else ''} on {node}" if node else ""
    beside = companions.what_is_wrong(draft, started)
    draft.set_state("Running", f"attempt {record['number']} runs{several}{where}{beside}")


def _is_taken_away(draft: Draft, record: Record, pods: list[Manifest]) -> bool:
    """Whether the cluster takes a pod away. It is written down: the pod is gone before its Job tells of its end."""
    going = (pod for pod in pods if pod["metadata"].get("deletionTimestamp"))
    reason = next((found for pod in going if (found := pod_state.disruption(pod))), None)
    if reason is None:
        return False
    record["ending"] = draft.trouble = reason
    draft.set_state("Running", f"attempt {record['number']}: its pod is being taken away ({reason})")
    return True


def has_live_pods(pods: Iterable[Manifest]) -> bool:
    """Whether any of the pods may still run."""
    return any(not pod_state.is_over(pod) for pod in pods)


def find_job(draft: Draft, record: Record) -> Manifest | None:
    """The attempt's Job. One that the cache does not hold is asked for: a cache may be a moment too old."""
    cached = draft.job_of(record)
    if cached is not None:
        return cached
    job = draft.ask(ReadObject(draft.ref("batch/v1", "Job", metadata.job_name(draft.resource, record["number"]))))
    return job if job and is_owned_by(job, draft.resource["metadata"]["uid"]) else None


def write_down(draft: Draft, record: Record, outcome: Outcome) -> None:
    """Keep how the attempt ended, also while MLflow cannot be told: its Job and pod may be gone when it can."""
    ending = {
        "reason": outcome.reason,
        "exitCode": outcome.exit_code,
        "message": in_bytes(outcome.message, _MESSAGE_BYTES) or None,
        "pod": outcome.pod,
        "node": outcome.node,
        "completionTime": clock.to_text(outcome.ended_at or draft.now),
        "container": outcome.container,
        "imageID": outcome.image_id,
    }
    for name in ("ending", "trouble"):
        record.pop(name, None)
    if seconds := record.get("activeSeconds"):
        draft.status["activeSeconds"] = draft.status.get("activeSeconds", 0) + seconds
    record |= {name: value for name, value in ending.items() if value is not None}


def is_closed(record: Record) -> bool:
    """Whether the run of an attempt that is over was told so."""
    return "runStatus" in record


def end_run(draft: Draft, record: Record) -> None:
    """End the attempt's run as its pod ended, and mirror its metrics.

    Raises:
        Waiting: MLflow must answer first.
    """
    if is_closed(record):
        return
    said = adoption.settle(draft, record) if draft.spec.tracking.is_adopted else ""
    if not record.get("runID"):
        record.setdefault("runStatus", "UNKNOWN")
        return
    question = runs.end_question(draft, record)
    answer = draft.ask_or_wait(question)
    _mirror(draft, record)
    if isinstance(answer, Failure):
        record["runStatus"] = "UNKNOWN"
        draft.conditions.false("Tracked", answer.reason, answer.message)
    else:
        record["runStatus"] = question.status.value
        said += system_metrics.remark(draft.spec, answer)
        message = f"attempt {record['number']}: run {record['runID']} is {question.status}{said}"
        draft.conditions.true("Tracked", "RunEnded", message)


def _mirror(draft: Draft, record: Record) -> None:
    """Copy the metrics that spec.tracking.metrics names into status."""
    wanted = draft.spec.tracking.metrics
    if not wanted:
        return
    found = draft.ask_or_wait(ReadMetrics(record["runID"], tuple(wanted)))
    if not isinstance(found, Failure):
        draft.status["metrics"] = [_as_item(metric) for metric in found]


def _mirror_live(draft: Draft, record: Record) -> None:
    """Mirror now and then while it runs; what MLflow cannot tell now it tells later."""
    if not draft.spec.tracking.metrics or not record.get("runID"):
        return
    draft.look_within(LIVE_METRICS_SECONDS)
    if (draft.now - clock.from_text(record["startTime"])).total_seconds() < LIVE_METRICS_SECONDS:
        return
    found = draft.ask(ReadMetrics(record["runID"], tuple(draft.spec.tracking.metrics)))
    if not isinstance(found, Failure):
        draft.status["metrics"] = [_as_item(metric) for metric in found]


def _as_item(metric: Metric) -> dict[str, object]:
    """A metric as status shows it: at most six significant digits, what is not finite in words."""
    text = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(metric.value), f"{metric.value:.6g}")
    return {"name": metric.name, "value": text, "step": metric.step}


JOB_GONE = Outcome("JobDeleted", message="its Job was deleted by someone else before it was over")
