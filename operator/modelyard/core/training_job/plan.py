"""What to do about a TrainingJob."""

import hashlib
from contextlib import suppress
from datetime import datetime

from pydantic import ValidationError

from modelyard.api.training_job import INVALID_SPEC, ModelSpec, Trainer, TrainingJobSpec
from modelyard.core import clock
from modelyard.core import refusal as refusals
from modelyard.core.conditions import find
from modelyard.core.errors import Open, Stalled, Waiting
from modelyard.core.plan import Event, Failure, Manifest, Plan
from modelyard.core.tracking import RegisteredVersion
from modelyard.core.training_job import (
    attempts,
    cleanup,
    cures,
    deadline,
    governed,
    memory,
    parameters,
    retry,
    runs,
    source,
    stops,
    validity,
    verdict,
)
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.model import NoModel, registered
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.outcome import TRAINER, Outcome, is_finished, outcome_of

RETRY_REFUSED_SECONDS = 60.0
"""Until something that MLflow refused is tried again: a person must have changed something there."""


def plan(resource: Manifest, observed: Observed, now: datetime) -> Plan:
    """The next step of a TrainingJob. Pure: the same input gives the same plan."""
    try:
        spec = TrainingJobSpec.model_validate(resource.get("spec") or {})
    except ValidationError as error:
        return _unreadable(resource, observed, now, error)
    draft = Draft(resource, spec, observed, now)
    if draft.is_over:
        return _after_the_end(draft)
    try:
        if itself := cleanup.due(draft):
            return Plan(delete=(itself,))
        _decide(draft)
    except Open as open_:
        return Plan(questions=open_.questions)
    except Waiting as waiting:
        _wait(draft, waiting)
    except Stalled as stalled:
        _stall(draft, stalled)
    except NoModel as verdict:
        draft.conditions.false("Registered", verdict.reason, verdict.message)
        _fail(draft, verdict.reason, verdict.message)
    return draft.finish()


def plan_refused(resource: Manifest, observed: Observed, refusal: Failure, now: datetime) -> Plan:
    """What to say when the API server refused an object: a quota, a policy, a field of the pod template."""
    draft = Draft(resource, TrainingJobSpec.model_validate(resource["spec"]), observed, now)
    _note_what_it_runs(draft)
    message = f"the API server refused the Job: {cures.in_fields(draft.spec, refusal.message)}"
    reason = refusals.reason_of(refusal.message, refusal.reason)
    if reason in refusals.OF_THE_SPEC and draft.newest_number() == 0:
        return _refused_for_good(draft, message)
    draft.trouble = reason
    draft.set_state("Pending", f"{draft.trouble}: {message}")
    if not draft.was(draft.trouble):
        draft.events.append(Event(draft.trouble, message, "Warning"))
    if deadline.has_been_refused_too_long(draft):
        with suppress(Open, Stalled, Waiting):
            attempts.write_down_unbegun(draft, Outcome(draft.trouble, message=message))
            # Its end is the next step, and the waits between refusals have grown by now.
            draft.look_within(stops.AT_ONCE_SECONDS)
    return draft.finish()


def _refused_for_good(draft: Draft, message: str) -> Plan:
    """No cluster would take the Job: say so, and end the run that was made for it."""
    _ask_to_mend(draft, message)
    try:
        runs.end_refused(draft, 1, INVALID_SPEC)
    except Open as open_:
        return Plan(questions=open_.questions)
    return draft.finish()


def _decide(draft: Draft) -> None:
    """The story of a TrainingJob."""
    _note_what_it_runs(draft)
    record = draft.newest_record()
    if record and not record.get("reason"):
        _follow(draft, record)
    elif record and not attempts.is_closed(record):
        _close(draft, record)
    elif record and record["reason"] == "Succeeded":
        _succeed(draft, record)
    elif not record and (problems := validity.problems_of(draft.spec, draft.namespace, draft.context)):
        _ask_to_mend(draft, "; ".join(problems))
    elif draft.spec.suspend:
        _stay_suspended(draft)
    elif record and (reason := verdict.why_final(draft, record)):
        _give_up(draft, record, reason)
    elif record and (problems := validity.problems_of(draft.spec, draft.namespace, draft.context)):
        _fail(draft, INVALID_SPEC, "; ".join(problems))
    elif _was_just_mended(draft):
        draft.set_state("Pending", "spec was mended; attempt 1 begins")
        draft.recheck_after = stops.AT_ONCE_SECONDS
    elif not _must_still_wait(draft):
        _resume(draft)
        attempts.begin(draft, draft.newest_number() + 1)


def _ask_to_mend(draft: Draft, message: str) -> None:
    """Nothing has begun, and the API server lets all of such a spec change: say what is wrong with it, and wait."""
    if draft.spec.suspend:
        _stay_suspended(draft)
    else:
        _resume(draft)
    draft.status.pop("refusedSince", None)
    draft.set_state(INVALID_SPEC, message)
    if draft.before.get("observedGeneration") != draft.generation:
        draft.conditions.begin_anew("Stalled")
    draft.conditions.true("Stalled", INVALID_SPEC, message)
    cleanup.look_in_time(draft)
    stated = (draft.conditions.get("Stalled") or {}).get("message")
    if find(draft.before, "Stalled").get("message") != stated:
        draft.events.append(Event(INVALID_SPEC, message, "Warning"))


def _was_just_mended(draft: Draft) -> bool:
    """Whether spec could be edited until now.

    A status that says otherwise ends that, and only after it the first attempt begins, with the spec of that moment.
    """
    return draft.was(INVALID_SPEC) and draft.before.get("observedGeneration") != draft.generation


def _note_what_it_runs(draft: Draft) -> None:
    """Keep which parameters and which commit this is about."""
    draft.status["parametersDigest"] = hashlib.sha256(parameters.as_json(draft.spec).encode()).hexdigest()
    source.note_commit(draft.status, draft.spec, draft.observed.pods, TRAINER)


def _follow(draft: Draft, record: Record) -> None:
    """An attempt is under way."""
    job, pods = attempts.find_job(draft, record), draft.observed.pods_of(record["number"])
    if job is not None and is_finished(job):
        outcome = outcome_of(job, pods, draft.now, record.get("ending"))
        if outcome is None:
            draft.set_state("Running", f"attempt {record['number']} failed; its pod's last word is awaited")
            draft.recheck_after = 1.0
        else:
            _conclude(draft, record, outcome, pods)
    elif reason := stops.why(draft, record, job, pods):
        _stop(draft, record, stops.stop(draft, record, job, pods, reason))
    elif job is not None:
        _resume(draft)
        attempts.follow(draft, record, job, pods)
    elif attempts.has_live_pods(pods):
        draft.set_state("Running", f"the Job of attempt {record['number']} was deleted; its pods are ending")
        draft.recheck_after = stops.RECHECK_SECONDS
    else:
        _conclude(draft, record, attempts.JOB_GONE, pods)


def _stop(draft: Draft, record: Record, outcome: Outcome | None) -> None:
    """An attempt is stopped by the operator; there is an outcome once its pods are gone."""
    if outcome is None:
        return
    is_final = record.get("ending") == stops.PENDING_DEADLINE
    attempts.write_down(draft, record, outcome)
    if is_final:
        record["ending"] = stops.PENDING_DEADLINE
    _close(draft, record)


def _conclude(draft: Draft, record: Record, outcome: Outcome, pods: list[Manifest]) -> None:
    """An attempt is over, by itself or by someone's hand."""
    if not outcome.is_success and (seconds := deadline.running_seconds(pods, outcome.ended_at or draft.now)):
        record["activeSeconds"] = seconds
    attempts.write_down(draft, record, cures.explained(draft.spec, outcome))
    if not outcome.is_success:
        retry.count(draft.status, outcome.reason)
        if verdict.why_final(draft, record) is None:
            # From now on, not from the pod's end: that is told by the node's clock, which may be another.
            begins = retry.next_attempt_at(draft.spec.retry, draft.status, draft.uid, draft.now)
            draft.status["nextAttemptTime"] = clock.to_text(begins)
    _close(draft, record)


def _close(draft: Draft, record: Record) -> None:
    """End the run of an attempt that is over, then go on."""
    if record["reason"] == "Succeeded":
        draft.set_state("Registering", "the training succeeded")
        attempts.end_run(draft, record)
        _succeed(draft, record)
        return
    _say_what_follows(draft, record)
    attempts.end_run(draft, record)
    if record["reason"] in {stops.SUSPENDED, stops.REQUEUED}:
        return
    if reason := verdict.why_final(draft, record):
        _give_up(draft, record, reason)
    elif record["reason"] not in verdict.UNCOUNTED and _is_news(draft, record):
        draft.events.append(
            Event("AttemptFailed", f"attempt {record['number']}: {verdict.how_it_ended(record)}", "Warning")
        )


def _is_news(draft: Draft, record: Record) -> bool:
    """Whether the attempt ended otherwise than the one before: what repeats is counted in status, not told again."""
    before: Record = next((item for item in draft.records if item["number"] < record["number"]), {})
    return any(record.get(field) != before.get(field) for field in ("reason", "exitCode", "container"))


def _say_what_follows(draft: Draft, record: Record) -> None:
    """What comes after an attempt that did not succeed."""
    if draft.spec.suspend:
        _stay_suspended(draft)
    elif record["reason"] in verdict.UNCOUNTED:
        _resume(draft)
        draft.set_state("Pending", f"attempt {record['number']} was stopped; the next begins")
        draft.recheck_after = stops.AT_ONCE_SECONDS
    else:
        draft.set_state("Retrying", f"attempt {record['number']} ended: {verdict.how_it_ended(record)}")
        _must_still_wait(draft)


def _give_up(draft: Draft, record: Record, reason: str) -> None:
    """No further attempt is allowed."""
    _fail(draft, reason, verdict.last_word(draft, record, reason))


def _succeed(draft: Draft, record: Record) -> None:
    """The training succeeded: register its model, then say so."""
    draft.set_state("Registering", "the training succeeded")
    model = draft.spec.model
    version = registered(draft, record, model) if model else None
    if version and model:
        _note_version(draft, version, model)
    elif model:
        draft.conditions.false("Registered", "NotRequested", "spec.model.register is Never")
    message = f"registered {version.name} version {version.version}" if version else "the training succeeded"
    draft.status["completionTime"] = clock.to_text(draft.now)
    draft.conditions.true("Complete", "Succeeded", message)
    _end_suspension(draft)
    draft.events.append(Event("Succeeded", message))


def _note_version(draft: Draft, version: RegisteredVersion, model: ModelSpec) -> None:
    """Say which version was registered, with which aliases, and which it was not given."""
    draft.status["modelVersion"] = _version_item(version)
    aliases = governed.free_aliases(draft, model)
    said = f"{version.name} version {version.version}" + (f" as {', '.join(aliases)}" if aliases else "")
    left_out = governed.told(draft, model)
    if left_out:
        draft.conditions.true("Registered", governed.REASON, f"{said}; {left_out}")
        governed.tell(draft, f"{said}; {left_out}")
    else:
        draft.conditions.true("Registered", "Registered", said)


def _fail(draft: Draft, reason: str, message: str) -> None:
    """It is over, and it failed."""
    draft.status["completionTime"] = clock.to_text(draft.now)
    for name in ("nextAttemptTime", "refusedSince"):
        draft.status.pop(name, None)
    draft.conditions.false("Complete", reason, message)
    draft.conditions.true("Failed", reason, message)
    _end_suspension(draft)
    draft.recheck_after = None
    draft.events.append(Event(reason, message, "Warning"))


def _end_suspension(draft: Draft) -> None:
    """What is over is not suspended."""
    if draft.conditions.get("Suspended"):
        draft.conditions.false("Suspended", "Ended", "it was over before it could be stopped")


def _stay_suspended(draft: Draft) -> None:
    """Nothing runs, because a person wants it so."""
    draft.status.pop("refusedSince", None)
    draft.set_state("Suspended", "spec.suspend is true; set it to false to go on")
    draft.conditions.true("Suspended", "Suspended", "spec.suspend is true")
    draft.recheck_after = None


def _resume(draft: Draft) -> None:
    """It was suspended and is no longer."""
    if draft.conditions.get("Suspended"):
        draft.conditions.false("Suspended", "Resumed", "spec.suspend is false")


def _must_still_wait(draft: Draft) -> bool:
    """Whether the back-off after a failure is not over."""
    text = draft.status.get("nextAttemptTime")
    if not text:
        return False
    _resume(draft)
    record = draft.newest_record() or {"number": 0}
    limit = memory.next_limit(draft.spec, record)
    more = f" with {limit} of memory" if limit and limit != record.get("memory") else ""
    draft.set_state(
        "Retrying", f"attempt {record['number']} ended: {verdict.how_it_ended(record)}; the next begins {text}{more}"
    )
    left = (clock.from_text(text) - draft.now).total_seconds()
    draft.recheck_after = max(stops.AT_ONCE_SECONDS, left)
    return left > 0


def _wait(draft: Draft, waiting: Waiting) -> None:
    """Another system must answer first: say so and keep what was found out."""
    draft.events.clear()
    state = draft.conditions.get("Complete") or {"reason": "Pending"}
    draft.set_state(state["reason"], f"{waiting.reason}: {waiting.message}")
    draft.conditions.false(_what_waits(draft), waiting.reason, waiting.message)
    draft.recheck_after = waiting.delay_seconds


def _stall(draft: Draft, stalled: Stalled) -> None:
    """MLflow refuses: say so, and try again now and then, because the cure is not in this object."""
    state = draft.conditions.get("Complete") or {"reason": "Pending"}
    draft.set_state(state["reason"], f"{stalled.reason}: {stalled.message}")
    draft.conditions.false(_what_waits(draft), stalled.reason, stalled.message)
    draft.conditions.true("Stalled", stalled.reason, stalled.message)
    if not draft.was(stalled.reason):
        draft.events.append(Event(stalled.reason, stalled.message, "Warning"))
    draft.recheck_after = RETRY_REFUSED_SECONDS


def _what_waits(draft: Draft) -> str:
    """What MLflow keeps from becoming true: once the run is ended, only the model is left to register."""
    record = draft.newest_record() or {}
    is_registering = record.get("reason") == "Succeeded" and attempts.is_closed(record)
    return "Registered" if is_registering else "Tracked"


def _after_the_end(draft: Draft) -> Plan:
    """Nothing changes any more, but readers want to see that an edit was noticed, and its time may come to go."""
    try:
        itself = cleanup.due(draft)
    except Open as open_:
        return Plan(questions=open_.questions)
    if itself:
        return Plan(delete=(itself,))
    is_seen = draft.before.get("observedGeneration") == draft.generation
    status = None if is_seen else draft.before | {"observedGeneration": draft.generation}
    return Plan(status=status, recheck_after=cleanup.recheck_after(draft))


def _unreadable(resource: Manifest, observed: Observed, now: datetime, error: ValidationError) -> Plan:
    """The spec does not fit this release: written for another one. Another release of the operator can still go on."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    message = f"{field}: {first['msg']}: upgrade the operator, or make the TrainingJob anew for this release"
    draft = Draft(resource, TrainingJobSpec(trainer=Trainer()), observed, now)
    if draft.is_over:
        return Plan()
    draft.set_state(INVALID_SPEC, message)
    draft.conditions.true("Stalled", INVALID_SPEC, message)
    return draft.finish()


def _version_item(version: RegisteredVersion) -> dict[str, str]:
    """The version as status shows it."""
    item = {"name": version.name, "version": version.version}
    return item | ({"modelID": version.model_id} if version.model_id else {})
