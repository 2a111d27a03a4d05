"""Which version is wanted: an alias resolved once, here, to an immutable version."""

import re

from modelyard.api import names
from modelyard.core.errors import Stalled, Waiting
from modelyard.core.model_deployment import vouching
from modelyard.core.model_deployment.canary import LEAVING
from modelyard.core.model_deployment.compatibility import runs
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.refusals import refusal_of
from modelyard.core.plan import Failure, Question
from modelyard.core.tracking import GetVersion, RegisteredVersion, ResolveAlias

_SOON_SECONDS = 1.0
_TRAINING_JOB = re.compile(r"[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?")


def desired(draft: Draft) -> RegisteredVersion | None:
    """The version that spec.model asks for now; None while it cannot be known or does not exist.

    Says in ModelResolved which of these it is.
    """
    model = draft.spec.model
    question: Question = (
        ResolveAlias(model.name, model.alias) if model.alias else GetVersion(model.name, str(model.version))
    )
    answer = draft.ask(question)
    if isinstance(answer, Failure):
        draft.conditions.unknown("ModelResolved", answer.reason, answer.message)
        return None
    if answer is None:
        draft.conditions.false("ModelResolved", *_missing(draft))
        draft.status.pop("desiredVersion", None)
        return None
    assert isinstance(answer, RegisteredVersion)  # noqa: S101 - narrows the answer's type
    draft.status["desiredVersion"] = answer.version
    if model.promoted_only and not vouching.is_vouched_for(draft, answer.version):
        draft.conditions.false("ModelResolved", "AwaitingPromotion", _unvouched(draft, answer.version))
        if vouching.is_about_to_be(draft, answer.version):
            draft.look_again_in(_SOON_SECONDS)
        return None
    said = f"{model.name}@{model.alias} is version {answer.version}" if model.alias else f"version {answer.version}"
    draft.conditions.true("ModelResolved", "Resolved", said)
    return answer


def target(draft: Draft, wanted: RegisteredVersion | None, applied: str | None) -> str:
    """The version to serve now: the wanted one, but what is served already while paused, refused or nothing is wanted.

    One that failed gives way to the one that served before it.

    Raises:
        Waiting: there is nothing to serve yet.
        Stalled: the wanted one may not start, and what is served already cannot take its place.
    """
    if wanted is not None and draft.refusal:
        return _instead_of(draft, wanted, applied)
    goal = _asked_for(draft, wanted, applied)
    return draft.stable_version if draft.stable_version and refusal_of(draft, goal) else goal


def _asked_for(draft: Draft, wanted: RegisteredVersion | None, applied: str | None) -> str:
    """What would be served if it had never failed."""
    if wanted is not None and not draft.spec.paused:
        return wanted.version
    canary = draft.status.get("canary") or {}
    # One that leaves is not wanted any more, whoever pauses meanwhile.
    held = (canary.get("version") if canary.get("phase") != LEAVING else None) or applied
    if held is not None:
        return str(held)
    if draft.spec.paused:
        raise Waiting("Paused", "spec.paused is true and nothing was served before; set it to false to begin", 0)
    resolved = draft.conditions.get("ModelResolved") or {"reason": "AwaitingVersion", "message": ""}
    is_held_back = resolved["reason"] == "AwaitingPromotion"
    said = resolved["message"] if is_held_back else f"{resolved['reason']}: {resolved['message']}"
    raise Waiting("AwaitingPromotion" if is_held_back else "AwaitingVersion", said, 0)


def _instead_of(draft: Draft, wanted: RegisteredVersion, applied: str | None) -> str:
    """The version that serves on in place of a refused one. An image that it was not seen with is no change for now.

    Raises:
        Waiting, Stalled: see `target`.
    """
    refusal = draft.refusal
    assert refusal is not None  # noqa: S101 - the caller looked
    if applied and applied != wanted.version and (not refusal.is_final or runs(draft, applied)):
        return applied
    if applied is None and not refusal.is_final:
        raise Waiting(refusal.reason, refusal.message, 0)
    raise Stalled(refusal.reason, refusal.message)


def stable_item(draft: Draft, version: str, wanted: RegisteredVersion | None) -> dict[str, str]:
    """What status.stable says of a version that serves; lineage as far as the registry tells it now."""
    before = draft.status.get("stable") or {}
    kept: dict[str, str] = dict(before) if before.get("version") == version else {"version": version}
    if wanted is not None and wanted.version == version:
        tags = dict(wanted.tags)
        namespace, name = tags.get(names.TAG_NAMESPACE, ""), tags.get(names.TAG_TRAINING_JOB, "")
        if _TRAINING_JOB.fullmatch(namespace) and _TRAINING_JOB.fullmatch(name):
            kept["trainingJob"] = f"{namespace}/{name}"
        if wanted.run_id:
            kept["runID"] = wanted.run_id
    if digest := draft.digests.get(version):
        kept["digest"] = digest
    return kept


def _unvouched(draft: Draft, version: str) -> str:
    """What to say of a version that no Promotion vouches for."""
    model = draft.spec.model
    to = f" to {model.alias}" if model.alias else ""
    return (
        f"spec.model.promotedOnly: no Promotion of namespace {draft.namespace} promoted version {version} of "
        f"{model.name}{to}: promote it there, or set promotedOnly to false"
    )


def _missing(draft: Draft) -> tuple[str, str]:
    """Reason and message when the registry has no such version."""
    model = draft.spec.model
    if model.alias:
        return (
            "AliasNotFound",
            f"registered model {model.name} has no alias {model.alias}: train and register it, or set the alias",
        )
    return "VersionNotFound", f"registered model {model.name} has no version {model.version}"
