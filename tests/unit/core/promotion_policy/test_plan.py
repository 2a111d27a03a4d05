"""Which version is promoted, once, and which records are kept."""

from typing import Any

import pytest

from builders import NOW, PromotionBuilder, ResourceBuilder, make_context, make_promotion, make_promotion_policy
from modelyard.core.plan import Manifest, Plan
from modelyard.core.promotion_policy.observed import Observed
from modelyard.core.promotion_policy.plan import plan
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import RegisteredVersion, ResolveAlias

GATE = {"name": "accurate", "metric": "accuracy", "min": "0.9", "goal": "Maximize"}


def settled(
    policy: ResourceBuilder,
    candidate: str | None,
    champion: str | None = "1",
    *promotions: PromotionBuilder,
    there: Manifest | None = None,
) -> Plan:
    """The plan once all is answered; `there` is what the API server has under the name that is needed."""
    answers: dict[Any, Any] = {}
    made = tuple(item.build() for item in promotions)
    for _ in range(10):
        found = plan(policy.build(), Observed(make_context(), made, (), dict(answers)), NOW)
        if not found.questions:
            return found
        (question,) = found.questions
        if isinstance(question, ReadObject):
            answers[question] = there
        else:
            assert isinstance(question, ResolveAlias)
            number = champion if question.alias == "champion" else candidate
            answers[question] = RegisteredVersion("digits", number, None, None) if number else None
    raise AssertionError("asks without end")


def reason(made: Plan) -> str:
    assert made.status is not None
    return str(next(item["reason"] for item in made.status["conditions"] if item["type"] == "Ready"))


def test_a_candidate_gets_a_promotion_with_a_copy_of_the_gates() -> None:
    policy = make_promotion_policy().with_spec(gates=[GATE], approval={"required": True})
    made = settled(policy, "7")
    (promotion,) = made.create
    assert promotion["metadata"] == {"name": "digits-7", "namespace": "team-a"}, "no owner: it outlives the policy"
    assert promotion["spec"] == {
        "model": {"name": "digits", "version": "7"},
        "target": {"alias": "champion"},
        "approval": {"required": True},
        "policy": "digits",
        "gates": [GATE],
    }
    assert reason(made) == "Promoting"
    assert [event.reason for event in made.events] == ["PromotionCreated"]


@pytest.mark.parametrize("ended", ["Promoted", "GateFailed", "Rejected", "Superseded", "Conflict"])
def test_a_candidate_is_tried_once(ended: str) -> None:
    made = settled(make_promotion_policy(), "7", "1", make_promotion("digits-7", "7").of_policy().over(ended))
    assert not made.create
    assert reason(made) == ("PromotedBefore" if ended == "Promoted" else "NotPromoted")


def test_what_is_champion_already_needs_no_promotion() -> None:
    made = settled(make_promotion_policy(), "7", "7")
    assert not made.create
    assert reason(made) == "Current"


def test_one_that_the_caches_do_not_know_yet_is_not_made_twice() -> None:
    there = make_promotion("digits-7", "7").of_policy().build()
    made = settled(make_promotion_policy(), "7", there=there)
    assert not made.create
    assert reason(made) == "Promoting"


def test_one_of_somebody_else_is_not_taken_for_its_own() -> None:
    made = settled(make_promotion_policy(), "7", there=make_promotion("digits-7", "7").build())
    assert not made.create
    assert reason(made) == "Conflict"


def test_suspended_it_makes_none() -> None:
    made = settled(make_promotion_policy().with_spec(suspend=True), "7")
    assert not made.create
    assert reason(made) == "Suspended"


@pytest.mark.parametrize(
    ("limit", "gone"),
    [(0, ["digits-2", "digits-4", "digits-5"]), (1, ["digits-2", "digits-4"]), (2, ["digits-2"]), (3, []), (9, [])],
)
def test_the_oldest_that_are_over_go(limit: int, gone: list[str]) -> None:
    over = [
        make_promotion(f"digits-{n}", str(n), age_seconds=100 - n).of_policy().over("GateFailed") for n in range(2, 7)
    ]
    open_ = make_promotion("digits-1", "1", age_seconds=500).of_policy().judged()
    made = settled(make_promotion_policy().with_spec(historyLimit=limit), "6", "3", open_, *over)
    assert sorted(ref.name for ref in made.delete) == gone, "never that of candidate or champion, nor an open one"


def test_one_that_is_going_already_is_not_deleted_again() -> None:
    going = make_promotion("digits-2", "2").of_policy().over().changed("metadata", "deletionTimestamp", to="now")
    made = settled(make_promotion_policy().with_spec(historyLimit=0), None, "1", going)
    assert not made.delete
