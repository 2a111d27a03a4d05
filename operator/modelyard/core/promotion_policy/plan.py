"""What to do about a PromotionPolicy."""

from datetime import datetime

from pydantic import ValidationError

from modelyard.api import names
from modelyard.api.promotion_policy import PolicyModel, PromotionPolicySpec
from modelyard.core import clock, model_names
from modelyard.core.conditions import find
from modelyard.core.errors import Open, Stalled, Waiting
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef, Plan
from modelyard.core.promotion.records import is_over, is_promoted, rank, result_of, shown, version_of
from modelyard.core.promotion_policy import history, manual
from modelyard.core.promotion_policy.draft import Draft
from modelyard.core.promotion_policy.observed import Observed
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import RegisteredVersion, ResolveAlias

_UNDER_WAY = frozenset({"Promoting", "AwaitingApproval", "Suspended"})
"""What is said before an alias that was moved by hand."""


def plan(resource: Manifest, observed: Observed, now: datetime) -> Plan:
    """The next step of a PromotionPolicy. Pure: the same input gives the same plan."""
    try:
        spec = PromotionPolicySpec.model_validate(resource.get("spec") or {})
    except ValidationError as error:
        return _unreadable(resource, observed, now, error)
    draft = Draft(resource, spec, observed, now)
    try:
        return _decide(draft)
    except Open as open_:
        return Plan(questions=(open_.question,))
    except Waiting as waiting:
        draft.conditions.false("Ready", waiting.reason, waiting.message)
        draft.recheck_after = waiting.delay_seconds
        return draft.finish(reconciling=True)
    except Stalled as stalled:
        return _stalled(draft, stalled.reason, stalled.message)


def plan_refused(resource: Manifest, observed: Observed, refusal: Failure, now: datetime) -> Plan:
    """What to say when the API server refused a Promotion: a quota, a policy."""
    draft = Draft(resource, PromotionPolicySpec.model_validate(resource["spec"]), observed, now)
    return _stalled(draft, refusal.reason, f"the API server refused the Promotion: {refusal.message}")


def _decide(draft: Draft) -> Plan:
    """The story of a PromotionPolicy."""
    if problems := model_names.problems_of(draft.context, draft.namespace, draft.spec.model.name):
        raise Stalled("InvalidSpec", "; ".join(problems))
    _give_way(draft)
    spec = draft.spec
    champion = manual.judge(draft, draft.ask_or_wait(ResolveAlias(spec.model.name, spec.target.alias)))
    candidate = draft.ask_or_wait(ResolveAlias(spec.model.name, spec.candidate.alias))
    _note_champion(draft, champion)
    draft.status["candidate"] = {"version": candidate.version} if candidate else None
    draft.delete.extend(history.beyond_limit(draft, _number(candidate), _number(champion)))
    promotion = _promotion_of(draft, candidate.version) if candidate else None
    _note_promotion(draft, promotion)
    if spec.suspend:
        return _ready(draft, "False", "Suspended", "spec.suspend is true: set it to false to go on")
    if candidate is None:
        wanted = f"{spec.model.name}@{spec.candidate.alias}"
        return _ready(draft, "True", "AwaitingCandidate", f"{wanted} points at no version: set the alias on a version")
    if promotion is not None:
        return _report(draft, promotion, champion)
    if champion and champion.version == candidate.version:
        return _ready(draft, "True", "Current", f"{_aim(draft)} points at version {champion.version} already")
    return _promote(draft, candidate)


def _give_way(draft: Draft) -> None:
    """Of two policies that move the same alias the older one acts, wherever they are.

    Raises:
        Stalled: there is an older one.
    """
    older = [item for item in draft.observed.rivals if rank(item) < rank(draft.resource)]
    if older:
        first = shown(min(older, key=rank))
        raise Stalled("Conflict", f"PromotionPolicy {first} is older and moves {_aim(draft)}: delete one of the two")


def _promote(draft: Draft, candidate: RegisteredVersion) -> Plan:
    """Make the candidate's Promotion."""
    made = build_promotion(draft.resource, draft.spec, candidate.version)
    name = made["metadata"]["name"]
    found = draft.ask(ReadObject(ObjectRef(names.API_VERSION, "Promotion", draft.namespace, name)))
    if isinstance(found, dict) and found["spec"].get("policy") != draft.name:
        cure = "delete it or give it another name"
        raise Stalled("Conflict", f"Promotion {name} exists and was not made by this policy: {cure}")
    if not isinstance(found, dict):
        draft.create.append(made)
        draft.events.append(Event("PromotionCreated", f"version {candidate.version} is a candidate: Promotion {name}"))
    _note_promotion(draft, made)
    return _ready(draft, "True", "Promoting", f"version {candidate.version}: see Promotion {name}")


def build_promotion(resource: Manifest, spec: PromotionPolicySpec, version: str) -> Manifest:
    """The Promotion of one version, with a copy of what the policy asks for now.

    It has no owner: the garbage collector would delete the record with the policy.
    """
    given = resource["spec"]
    wanted = {
        "model": {"name": spec.model.name, "version": version},
        "target": {"alias": spec.target.alias},
        "approval": {"required": spec.approval.required},
        "policy": resource["metadata"]["name"],
    }
    if given.get("gates"):
        wanted["gates"] = given["gates"]
    metadata = {"name": f"{resource['metadata']['name']}-{version}", "namespace": resource["metadata"]["namespace"]}
    return {"apiVersion": names.API_VERSION, "kind": "Promotion", "metadata": metadata, "spec": wanted}


def _report(draft: Draft, promotion: Manifest, champion: RegisteredVersion | None) -> Plan:
    """Say how the candidate's Promotion stands."""
    version, name = version_of(promotion), promotion["metadata"]["name"]
    if not is_over(promotion):
        reason = "AwaitingApproval" if result_of(promotion) == "AwaitingApproval" else "Promoting"
        return _ready(draft, "True", reason, f"version {version}: see Promotion {name}")
    if not is_promoted(promotion):
        said = find(promotion["status"], "Complete").get("message", "")
        cure = f"delete Promotion {name} to have it tried again"
        return _ready(draft, "True", "NotPromoted", f"version {version}: {result_of(promotion)}: {cure}; {said}")
    if _number(champion) == version:
        return _ready(draft, "True", "Current", f"{_aim(draft)} points at version {version}")
    now = f"version {champion.version}" if champion else "no version"
    return _ready(
        draft, "True", "PromotedBefore", f"version {version} was promoted by {name}; {_aim(draft)} is {now} now"
    )


def _ready(draft: Draft, status: str, reason: str, message: str) -> Plan:
    """The plan, saying so in Ready."""
    if manual.is_found(draft) and reason not in _UNDER_WAY:
        reason, message = manual.MOVED, manual.message(draft)
    state = draft.conditions.true if status == "True" else draft.conditions.false
    state("Ready", reason, message)
    return draft.finish(reconciling=reason in {"Promoting", "AwaitingApproval"})


def _note_champion(draft: Draft, champion: RegisteredVersion | None) -> None:
    """Say what the target alias points at, and since when, as far as it is known."""
    before = draft.status.get("champion") or {}
    if champion is None:
        draft.status["champion"] = None
    elif before.get("version") != champion.version:
        of_version = [item for item in draft.observed.promotions if version_of(item) == champion.version]
        told = [item["status"]["promotedAt"] for item in of_version if (item.get("status") or {}).get("promotedAt")]
        since = max(told, default=clock.to_text(draft.now))
        draft.status["champion"] = {"version": champion.version, "since": since}


def _note_promotion(draft: Draft, promotion: Manifest | None) -> None:
    """Say which Promotion is the candidate's; the last one stays while there is none."""
    if promotion is not None:
        told = {"name": promotion["metadata"]["name"], "version": version_of(promotion), "result": result_of(promotion)}
        draft.status["lastPromotion"] = {name: value for name, value in told.items() if value}


def _promotion_of(draft: Draft, version: str) -> Manifest | None:
    """The Promotion that this policy made of a version: one, whatever became of it."""
    found = (item for item in draft.observed.promotions if version_of(item) == version)
    return next(found, None)


def _aim(draft: Draft) -> str:
    return f"{draft.spec.model.name}@{draft.spec.target.alias}"


def _number(version: RegisteredVersion | None) -> str | None:
    return version.version if version else None


def _unreadable(resource: Manifest, observed: Observed, now: datetime, error: ValidationError) -> Plan:
    """The spec does not fit the schema of this release."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    message = f"{field}: {first['msg']}: upgrade the operator, or write the PromotionPolicy for this release"
    spec = PromotionPolicySpec(model=PolicyModel(name="unreadable"))
    return _stalled(Draft(resource, spec, observed, now), "InvalidSpec", message)


def _stalled(draft: Draft, reason: str, message: str) -> Plan:
    """Nothing goes on until a person changes something."""
    draft.conditions.false("Ready", reason, message)
    if not draft.was(reason):
        draft.events.append(Event(reason, message, "Warning"))
    return draft.finish((reason, message))
