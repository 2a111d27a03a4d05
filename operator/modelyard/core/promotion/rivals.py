"""Others that move the same alias: who comes first, who is overtaken, and who was faster."""

from typing import Any

from modelyard.core.conditions import find
from modelyard.core.errors import Waiting
from modelyard.core.plan import Failure, Manifest
from modelyard.core.promotion.draft import Draft, Ended
from modelyard.core.promotion.records import is_promoted, is_promoting, rank, shown, version_of
from modelyard.core.tracking import ReadAlias, RegisteredVersion, ResolveAlias

_TURN_SECONDS = 1.0


def refuse_overtaken(draft: Draft) -> None:
    """A newer candidate of the same policy takes the place of this one.

    Raises:
        Ended: there is one.
    """
    if not draft.spec.policy:
        return
    newer = [
        item for item in draft.observed.others if _is_of_same_policy(draft, item) and _age(item) > _age(draft.resource)
    ]
    if newer:
        found = max(newer, key=_age)
        raise Ended("Superseded", f"version {version_of(found)} is the newer candidate: see Promotion {shown(found)}")
    _refuse_withdrawn(draft)


def await_policy(draft: Draft) -> None:
    """A policy that is suspended lets nothing move.

    Raises:
        Waiting: it is.
    """
    policy = draft.observed.policy
    if policy is not None and policy["spec"].get("suspend"):
        name = policy["metadata"]["name"]
        raise Waiting("Suspended", f"spec.suspend of PromotionPolicy {name} is true: set it to false to go on", 0)


def await_turn(draft: Draft) -> None:
    """One at a time moves an alias, in all namespaces that share the registry.

    Raises:
        Waiting: another one is before this.
    """
    before = [item for item in draft.observed.others if is_promoting(item) and rank(item) < rank(draft.resource)]
    if before:
        first = min(before, key=rank)
        raise Waiting("Promoting", f"Promotion {shown(first)} moves the alias first", _TURN_SECONDS)


def refuse_if_moved(draft: Draft) -> None:
    """The gates were judged against what the alias pointed at: once that changed, they say nothing.

    Raises:
        Ended: it did.
    """
    fitting = {draft.status.get("previousVersion"), draft.spec.model.version}
    alias = draft.spec.target.alias
    # What is shared may be older than the judgement: what speaks against it is read anew.
    if _holder(draft, ResolveAlias(draft.spec.model.name, alias), fitting) in fitting:
        return
    number = _holder(draft, ReadAlias(draft.spec.model.name, alias), fitting)
    if number not in fitting:
        raise moved_by_another(draft, number)


def moved_by_another(draft: Draft, holder: str | None) -> Ended:
    """What to say when the alias points elsewhere than it did when the gates were judged.

    Raises:
        Waiting: another Promotion is about to say that it was the one.
    """
    _let_it_say_so(draft, holder)
    was = draft.status.get("previousVersion")
    before = f"version {was}" if was else "no version"
    again = "delete this Promotion and its policy makes it anew" if draft.spec.policy else "make another Promotion"
    said = f"{draft.aim} pointed at {before} when the gates were judged and points at "
    others = [item for item in draft.observed.others if is_promoted(item) and version_of(item) == holder]
    if others:
        newest: Manifest = max(others, key=_promoted_at)
        return Ended(
            "Superseded", f"{said}version {holder} since Promotion {shown(newest)}; {again} if it is still wanted"
        )
    now = f"version {holder}" if holder else "no version"
    return Ended("Conflict", f"{said}{now} now, which no Promotion did; {again} if it is still wanted")


def _let_it_say_so(draft: Draft, holder: str | None) -> None:
    """The alias moves a moment before the Promotion that moved it says so.

    Raises:
        Waiting: it has not said so yet.
    """
    moving = [item for item in draft.observed.others if is_promoting(item) and version_of(item) == holder]
    if moving:
        reason = find(draft.before, "Complete").get("reason") or "Evaluating"
        raise Waiting(reason, f"Promotion {shown(moving[0])} moves {draft.aim} to version {holder}", _TURN_SECONDS)


def _refuse_withdrawn(draft: Draft) -> None:
    """A candidate is one as long as the candidate alias points at it.

    Raises:
        Ended: it points at another version.
    """
    policy = draft.observed.policy
    if policy is None:
        return
    alias = (policy["spec"].get("candidate") or {}).get("alias") or "candidate"
    fitting = {draft.spec.model.version, None}
    if _holder(draft, ResolveAlias(draft.spec.model.name, alias), fitting) in fitting:
        return
    number = _holder(draft, ReadAlias(draft.spec.model.name, alias), fitting)
    if number not in fitting:
        raise Ended("Superseded", f"{draft.spec.model.name}@{alias} points at version {number} now")


def _holder(draft: Draft, question: ResolveAlias | ReadAlias, otherwise: set[str | None]) -> str | None:
    """The version that an alias points at; one that is fine, while MLflow does not say."""
    answer = draft.ask(question)
    if isinstance(answer, Failure):
        return min(otherwise, key=str)
    return answer.version if isinstance(answer, RegisteredVersion) else None


def _is_of_same_policy(draft: Draft, other: Manifest) -> bool:
    is_near = other["metadata"]["namespace"] == draft.namespace
    return bool(is_near and other["spec"].get("policy") == draft.spec.policy)


def _age(promotion: Manifest) -> tuple[str, int]:
    """Two of one second are in the order of their versions."""
    return promotion["metadata"]["creationTimestamp"], int(version_of(promotion))


def _promoted_at(promotion: Manifest) -> str:
    status: dict[str, Any] = promotion.get("status") or {}
    return str(status.get("promotedAt", ""))
