"""The alias goes back to what serves only where spec says so, and never over somebody's newer move."""

from typing import Any

import pytest

from builders import NOW, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.api.promotion import LONGEST_NAME, Promotion
from modelyard.core.errors import Open
from modelyard.core.model_deployment.alias_back import build_promotion, move_back
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Failure, ObjectRef
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import AliasHolder, MoveAlias

QUESTION = MoveAlias("digits", "champion", version="1", expected="2")
WANTED = {"moveAliasBack": True}
REFUSED = {"version": "2", "reason": "AnalysisFailed", "time": "2026-01-01T00:00:00Z"}
POLICY = {
    "metadata": {"namespace": "else", "name": "digits"},
    "spec": {"model": {"name": "digits"}, "target": {"alias": "champion"}},
}


def draft_of(answer: Any = None, **spec: object) -> Draft:
    resource = make_model_deployment().with_spec(**({"rollback": WANTED} | spec)).build()
    answers = {QUESTION: answer} if answer else {}
    return Draft(
        resource, ModelDeploymentSpec.model_validate(resource["spec"]), Observed(make_context(), answers=answers), NOW
    )


def test_it_is_moved_from_the_refused_version_to_the_one_that_serves() -> None:
    with pytest.raises(Open) as open_:
        move_back(draft_of(), REFUSED, "1")
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
    assert said in move_back(draft, REFUSED, "1")
    assert [event.reason for event in draft.events] == events


@pytest.mark.parametrize("spec", [{"rollback": {}}, {"model": {"name": "digits", "version": "2"}}])
def test_nothing_is_moved_where_nobody_asked_for_it(spec: dict[str, Any]) -> None:
    assert move_back(draft_of(**spec), REFUSED, "1") == ""


def governed(policy: dict[str, Any], found: Any = None, *, is_asked: bool = True) -> Draft:
    resource = make_model_deployment().with_spec(rollback=WANTED).build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    draft = Draft(resource, spec, Observed(make_context(), policies=(policy,)), NOW)
    made = build_promotion(draft, REFUSED, "1", "champion")
    name = ObjectRef("modelyard.io/v1alpha1", "Promotion", draft.namespace, made["metadata"]["name"])
    answers = {ReadObject(name): found} if is_asked else {}
    return Draft(resource, spec, Observed(make_context(), policies=(policy,), answers=answers), NOW)


def test_an_alias_that_a_policy_governs_is_moved_back_by_a_promotion() -> None:
    draft = governed(POLICY)
    said = move_back(draft, REFUSED, "1")
    (made,) = draft.create
    assert made["spec"]["model"] == {"name": "digits", "version": "1"}
    assert made["spec"]["target"] == {"alias": "champion"}
    assert "refused version 2: AnalysisFailed" in made["spec"]["approval"]["comment"]
    assert made["metadata"]["name"] in said
    Promotion.model_validate(made)


def test_the_promotion_is_looked_for_before_it_is_made() -> None:
    with pytest.raises(Open):
        move_back(governed(POLICY, is_asked=False), REFUSED, "1")
    draft = governed(POLICY, found={"metadata": {}})
    move_back(draft, REFUSED, "1")
    assert draft.create == []


def test_a_version_that_is_refused_again_is_gone_back_from_again() -> None:
    draft = governed(POLICY)
    first, again = REFUSED, REFUSED | {"time": "2026-01-02T00:00:00Z"}
    names = {build_promotion(draft, refusal, "1", "champion")["metadata"]["name"] for refusal in (first, again)}
    assert len(names) == 2


def test_a_policy_for_another_alias_does_not_matter() -> None:
    other = POLICY | {"spec": {"model": {"name": "digits"}, "target": {"alias": "shadow"}}}
    with pytest.raises(Open) as open_:
        move_back(governed(other, is_asked=False), REFUSED, "1")
    assert open_.value.question == QUESTION


def test_the_longest_name_leaves_room_for_the_promotions() -> None:
    resource = make_model_deployment("d" * 40).with_spec(rollback=WANTED).build()
    draft = Draft(resource, ModelDeploymentSpec.model_validate(resource["spec"]), Observed(make_context()), NOW)
    name = build_promotion(draft, REFUSED, "1", "champion")["metadata"]["name"]
    assert len(name) <= LONGEST_NAME
