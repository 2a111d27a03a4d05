"""Moves the alias back to what serves, once what it points at was refused: registry and cluster say the same then."""

from collections.abc import Mapping

from modelyard.api import names
from modelyard.core.matching import digest
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef
from modelyard.core.promotion.records import governors_of
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import AliasHolder, MoveAlias

_OWN_NAME = 38
"""How much of its name a ModelDeployment gives its Promotions: with `-back-` and eight digits they stay in bounds."""


def move_back(draft: Draft, refusal: Mapping[str, str], serving: str) -> str:
    """Move it, if spec wants that and it still points at the refused version; what became of it, in words.

    `refusal` is an item of status.refusedVersions. An alias that a policy governs is moved by a Promotion: the policy
    might undo any other move, and would have no record of it.
    """
    model = draft.spec.model
    if model.alias is None or not draft.spec.rollback.move_alias_back:
        return ""
    if governors_of((model.name, model.alias), draft.observed.policies):
        return _promote_back(draft, refusal, serving, model.alias)
    answer = draft.ask(MoveAlias(model.name, model.alias, version=serving, expected=refusal["version"]))
    if isinstance(answer, Failure):
        return f"; the alias {model.alias} could not be moved back, {answer.reason}: {answer.message}"
    assert isinstance(answer, AliasHolder)  # noqa: S101 - narrows the answer's type
    if answer.version != serving:
        return f"; somebody moved the alias {model.alias} meanwhile: it stays there"
    told = f"the alias {model.alias} of {model.name} points at version {serving} again, not at {refusal['version']}"
    draft.events.append(Event("AliasMovedBack", told))
    return f"; {told}"


def _promote_back(draft: Draft, refusal: Mapping[str, str], serving: str, alias: str) -> str:
    """Have a Promotion of what serves, one for each time that the version was refused."""
    made = build_promotion(draft, refusal, serving, alias)
    name = made["metadata"]["name"]
    found = draft.ask(ReadObject(ObjectRef(names.API_VERSION, "Promotion", draft.namespace, name)))
    if isinstance(found, Failure):
        return f"; the alias {alias} could not be moved back, {found.reason}: {found.message}"
    if found is None:
        draft.create.append(made)
        draft.events.append(Event("AliasMovedBack", f"Promotion {name} moves the alias {alias} back to {serving}"))
    return f"; Promotion {name} moves the alias {alias} back"


def build_promotion(draft: Draft, refusal: Mapping[str, str], serving: str, alias: str) -> Manifest:
    """The Promotion of what serves: without gates, as it passed them before."""
    about = f"{draft.uid} {refusal['version']} {refusal['time']} {serving}"
    name = f"{draft.name[:_OWN_NAME].rstrip('-')}-back-{digest({'about': about})[:8]}"
    why = f"ModelDeployment {draft.name} refused version {refusal['version']}: {refusal['reason']}"
    spec = {
        "model": {"name": draft.spec.model.name, "version": serving},
        "target": {"alias": alias},
        "approval": {"required": False, "comment": why},
    }
    metadata = {"name": name, "namespace": draft.namespace}
    return {"apiVersion": names.API_VERSION, "kind": "Promotion", "metadata": metadata, "spec": spec}
