"""What to do about a Promotion."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from modelyard.api import names
from modelyard.api.promotion import PromotedVersion, PromotionSpec, TargetAlias
from modelyard.core import clock, model_names
from modelyard.core.errors import Open, Stalled, Waiting
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef, Plan
from modelyard.core.promotion import digest, evidence, gates, oversight, rivals
from modelyard.core.promotion.draft import RETRY_TRACKING_SECONDS, Draft, Ended
from modelyard.core.promotion.observed import Observed
from modelyard.core.promotion.records import PROMOTED, PROMOTING
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import (
    AliasHolder,
    GetVersion,
    MoveAlias,
    ReadAlias,
    ReadMeasurements,
    RegisteredVersion,
)

_AT_ONCE = 0.1


def plan(resource: Manifest, observed: Observed, now: datetime) -> Plan:
    """The next step of a Promotion. Pure: the same input gives the same plan."""
    try:
        spec = PromotionSpec.model_validate(resource.get("spec") or {})
    except ValidationError as error:
        return _unreadable(resource, observed, now, error)
    draft = Draft(resource, spec, observed, now)
    try:
        _decide(draft)
        return draft.finish()
    except Open as open_:
        return Plan(questions=(open_.question,))
    except Waiting as waiting:
        draft.set_state(waiting.reason, waiting.message)
        draft.look_again_in(waiting.delay_seconds or draft.context.alias_poll_seconds)
        return draft.finish()
    except Stalled as stalled:
        return _stalled(draft, stalled.reason, stalled.message)


def plan_refused(resource: Manifest, observed: Observed, refusal: Failure, now: datetime) -> Plan:
    """What to say when the API server refused the Job: a quota, a policy."""
    draft = Draft(resource, PromotionSpec.model_validate(resource["spec"]), observed, now)
    message = f"the API server refused the Job that computes the digest: {refusal.message}"
    return _stalled(draft, refusal.reason, message)


def _decide(draft: Draft) -> None:
    """The story of a Promotion."""
    if not draft.is_over:
        try:
            _go_on(draft)
        except Ended as ended:
            _end(draft, ended)
    if draft.is_over:
        _look_after(draft)


def _go_on(draft: Draft) -> None:
    """From the gates to the alias."""
    if problems := model_names.problems_of(draft.context, draft.namespace, draft.spec.model.name):
        # Not even tags are written on another namespace's version.
        raise Stalled("InvalidSpec", "; ".join(problems))
    _say_who(draft)
    _refuse_rejected(draft)
    rivals.refuse_overtaken(draft)
    _judge(draft)
    evidence.record(draft, evidence.GATES)
    digest.await_digest(draft)
    rivals.refuse_if_moved(draft)
    _await_approval(draft)
    rivals.await_policy(draft)
    _move(draft)


def _say_who(draft: Draft) -> None:
    """Who promotes: who decided, else the policy, else the program that made the object."""
    approval, policy = draft.spec.approval, draft.spec.policy
    if approval.decision and approval.by:
        draft.status["by"] = approval.by
    elif policy:
        draft.status["by"] = f"policy/{policy}"
    elif not draft.status.get("by"):
        ref = ObjectRef(names.API_VERSION, "Promotion", draft.namespace, draft.name, draft.uid)
        draft.status["by"] = _maker_of(draft.ask(ReadObject(ref)))


def _maker_of(live: Any) -> str:  # noqa: ANN401 - a manifest, None, or a Failure
    """The program that made the object, as the API server noted it."""
    noted = (live["metadata"].get("managedFields") or []) if isinstance(live, dict) else []
    own = [item for item in noted if not item.get("subresource")]
    oldest: Manifest = min(own, key=lambda item: str(item.get("time", "")), default={})
    return str(oldest.get("manager") or "unknown")[:253]


def _refuse_rejected(draft: Draft) -> None:
    """A person said no, at whatever moment."""
    if draft.spec.approval.decision == "Rejected":
        draft.conditions.false("Approved", "Rejected", _words_of_approval(draft))
        raise Ended("Rejected", _words_of_approval(draft))


def _judge(draft: Draft) -> None:
    """Judge the gates once, against what the alias points at now."""
    if draft.states("GatesPassed"):
        return
    version = _existing(draft)
    champion = draft.ask_or_wait(ReadAlias(draft.spec.model.name, draft.spec.target.alias))
    results = _results(draft, version, champion)
    draft.status["gates"] = results
    draft.status["previousVersion"] = champion.version if champion else None
    failed = [f"gate {result['name']}: {gates.told(result)}" for result in results if gates.has_failed(result)]
    if failed:
        draft.conditions.false("GatesPassed", "GateFailed", "; ".join(failed))
        raise Ended("GateFailed", "; ".join(failed))
    said = _how_many_passed(results)
    draft.conditions.true("GatesPassed", "GatesPassed" if results else "NoGates", said)
    draft.events.append(Event("GatesPassed", said))


def _how_many_passed(results: list[gates.Result]) -> str:
    """What is said of gates none of which failed."""
    if not results:
        return "spec.gates is empty: there is nothing to pass"
    skipped = sum(result["result"] == "Skipped" for result in results)
    said = f"{len(results) - skipped} of {len(results)} gates passed"
    return f"{said}, the others had nothing to compare with" if skipped else said


def _existing(draft: Draft) -> RegisteredVersion:
    """The version.

    Raises:
        Ended: there is none.
    """
    model = draft.spec.model
    version = draft.ask_or_wait(GetVersion(model.name, model.version))
    if version is None:
        raise Ended("VersionNotFound", f"registered model {model.name} has no version {model.version}")
    assert isinstance(version, RegisteredVersion)  # noqa: S101 - narrows the answer's type
    return version


def _results(draft: Draft, version: RegisteredVersion, champion: RegisteredVersion | None) -> list[gates.Result]:
    """What each gate shows."""
    wanted = draft.spec.gates or []
    if not wanted:
        return []
    measured = _measured(draft, version)
    is_compared = any(gate.max_regression is not None or gate.min_improvement is not None for gate in wanted)
    baseline = _measured(draft, champion) if champion and is_compared else None
    return [gates.judge(gate, measured, baseline) for gate in wanted]


def _measured(draft: Draft, version: RegisteredVersion) -> gates.Measured:
    """What MLflow tells of a version."""
    metrics = tuple(sorted({gate.metric for gate in draft.spec.gates or []}))
    found = draft.ask_or_wait(ReadMeasurements(version.model_id, version.run_id, metrics))
    return gates.Measured(version.version, found)


def _await_approval(draft: Draft) -> None:
    """A person has to agree, where that is asked for.

    Raises:
        Waiting: nobody did so far.
    """
    if draft.spec.approval.decision == "Approved":
        draft.conditions.true("Approved", "Approved", _words_of_approval(draft))
    elif why := oversight.why_asked(draft):
        cure = f"kubectl patch promotion {draft.name} with spec.approval.decision and by"
        said = f"the gates passed; a person has to decide, as {why}: {cure}"
        draft.conditions.false("Approved", "AwaitingApproval", f"nobody decided so far: {cure}")
        if not draft.was("AwaitingApproval"):
            draft.events.append(Event("AwaitingApproval", said))
        raise Waiting("AwaitingApproval", said, 0)
    else:
        draft.conditions.true("Approved", "NotRequired", "spec.approval.required is false, and no policy asks for it")


def _words_of_approval(draft: Draft) -> str:
    """Who decided, and why."""
    approval = draft.spec.approval
    comment = f": {approval.comment}" if approval.comment else ""
    return f"{(approval.decision or '').lower()} by {approval.by}{comment}"


def _move(draft: Draft) -> None:
    """Move the alias; what was judged is written down before, so that a crash in between loses nothing.

    Raises:
        Waiting: it is not its turn, or MLflow does not answer.
        Ended: the alias points elsewhere than it did when the gates were judged.
    """
    if not draft.was(PROMOTING):
        raise Waiting(PROMOTING, f"{draft.aim} is about to move", _AT_ONCE)
    _existing(draft)
    rivals.await_turn(draft)
    model, was = draft.spec.model, draft.status.get("previousVersion")
    answer = draft.ask(MoveAlias(model.name, draft.spec.target.alias, model.version, was))
    if isinstance(answer, Failure):
        if answer.is_transient:
            # It may have moved: whoever comes next waits until that is known.
            raise Waiting(PROMOTING, f"{answer.reason}: {answer.message}", RETRY_TRACKING_SECONDS)
        raise Ended(answer.reason, answer.message)
    assert isinstance(answer, AliasHolder)  # noqa: S101 - narrows the answer's type
    if answer.version != model.version:
        raise rivals.moved_by_another(draft, answer.version)
    _promoted(draft)


def _promoted(draft: Draft) -> None:
    """The alias points at the version."""
    version, was = draft.spec.model.version, draft.status.get("previousVersion")
    if was == version:
        said = f"{draft.aim} pointed at version {version} already"
    else:
        said = f"{draft.aim} points at version {version}" + (f", after version {was}" if was else ", its first")
    told = f"{said}; by {draft.status['by']}"
    draft.status["promotedAt"] = clock.to_text(draft.now)
    draft.conditions.true("Promoted", PROMOTED, said)
    draft.conditions.true("Complete", PROMOTED, told)
    draft.events.append(Event(PROMOTED, told))
    draft.end()


def _end(draft: Draft, ended: Ended) -> None:
    """It is over, and the alias was not moved for it."""
    draft.conditions.false("Promoted", ended.reason, ended.message)
    draft.conditions.false("Complete", ended.reason, ended.message)
    draft.conditions.true("Failed", ended.reason, ended.message)
    draft.events.append(Event(ended.reason, ended.message, "Warning"))
    draft.end()


def _look_after(draft: Draft) -> None:
    """What is left to do of one that is over."""
    draft.recheck_after = None
    if evidence.is_to_be_tried_again(draft):
        evidence.record(draft, evidence.RESULT)
    digest.discard_job(draft)


def _unreadable(resource: Manifest, observed: Observed, now: datetime, error: ValidationError) -> Plan:
    """The spec does not fit the schema of this release."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    message = f"{field}: {first['msg']}: upgrade the operator, or write the Promotion for this release"
    model = PromotedVersion(name="unreadable", version="1")
    return _stalled(
        Draft(resource, PromotionSpec(model=model, target=TargetAlias()), observed, now), "InvalidSpec", message
    )


def _stalled(draft: Draft, reason: str, message: str) -> Plan:
    """Nothing goes on until a person changes something; one that is over stays as it is."""
    if draft.is_over:
        return Plan()
    if not draft.was(reason):
        draft.events.append(Event(reason, message, "Warning"))
    draft.set_state(reason, message)
    return draft.finish((reason, message))
