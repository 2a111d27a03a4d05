"""The alias goes back to what serves only where spec says so, and never over somebody's newer move."""

from typing import Any

import pytest

from builders import NOW, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Open
from modelyard.core.model_deployment.alias_back import move_back
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Failure
from modelyard.core.tracking import AliasHolder, MoveAlias

QUESTION = MoveAlias("digits", "champion", version="1", expected="2")
WANTED = {"moveAliasBack": True}


def draft_of(answer: Any = None, **spec: object) -> Draft:
    resource = make_model_deployment().with_spec(**({"rollback": WANTED} | spec)).build()
    answers = {QUESTION: answer} if answer else {}
    return Draft(
        resource, ModelDeploymentSpec.model_validate(resource["spec"]), Observed(make_context(), answers=answers), NOW
    )


def test_it_is_moved_from_the_refused_version_to_the_one_that_serves() -> None:
    with pytest.raises(Open) as open_:
        move_back(draft_of(), "2", "1")
    assert open_.value.question == QUESTION


@pytest.mark.parametrize(
    ("answer", "said", "events"),
    [
        (AliasHolder("1"), "points at version 1 again", ["AliasMovedBack"]),
        (AliasHolder("3"), "somebody moved the alias champion meanwhile", []),
        (AliasHolder(None), "somebody moved the alias champion meanwhile", []),
        (Failure("TrackingUnavailable", "away"), "could not be moved back, TrackingUnavailable: away", []),
    ],
)
def test_what_became_of_it_is_told(answer: Any, said: str, events: list[str]) -> None:
    draft = draft_of(answer)
    assert said in move_back(draft, "2", "1")
    assert [event.reason for event in draft.events] == events


@pytest.mark.parametrize("spec", [{"rollback": {}}, {"model": {"name": "digits", "version": "2"}}])
def test_nothing_is_moved_where_nobody_asked_for_it(spec: dict[str, Any]) -> None:
    assert move_back(draft_of(**spec), "2", "1") == ""
