"""Moves the alias back to what serves, once what it points at was refused: registry and cluster say the same then."""

from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Event, Failure
from modelyard.core.tracking import AliasHolder, MoveAlias


def move_back(draft: Draft, refused: str, serving: str) -> str:
    """Move it, if spec wants that and it still points at the refused version; what became of it, in words."""
    model = draft.spec.model
    if model.alias is None or not draft.spec.rollback.move_alias_back:
        return ""
    answer = draft.ask(MoveAlias(model.name, model.alias, version=serving, expected=refused))
    if isinstance(answer, Failure):
        return f"; the alias {model.alias} could not be moved back, {answer.reason}: {answer.message}"
    assert isinstance(answer, AliasHolder)  # noqa: S101 - narrows the answer's type
    if answer.version != serving:
        return f"; somebody moved the alias {model.alias} meanwhile: it stays there"
    told = f"the alias {model.alias} of {model.name} points at version {serving} again, not at {refused}"
    draft.events.append(Event("AliasMovedBack", told))
    return f"; {told}"
