"""An alias that was moved past its Promotions is reported once, and moved back where the policy says so."""

from typing import Any

import pytest

from builders import NOW, PromotionBuilder, make_context, make_promotion, make_promotion_policy, seconds_ago
from modelyard.core.plan import Failure, Plan, Question
from modelyard.core.promotion_policy.observed import Observed
from modelyard.core.promotion_policy.plan import plan
from modelyard.core.tracking import AliasHolder, MoveAlias, ReadAlias, RegisteredVersion, ResolveAlias

SHARED, CANDIDATE, FRESH = (
    ResolveAlias("digits", "champion"),
    ResolveAlias("digits", "candidate"),
    ReadAlias("digits", "champion"),
)
BACK = MoveAlias("digits", "champion", "2", "1")


def version(number: str | None) -> RegisteredVersion | None:
    return RegisteredVersion("digits", number, None, None) if number else None


def promoted(number: str = "2", seconds: float = 10, name: str = "digits") -> PromotionBuilder:
    return make_promotion(f"{name}-{number}", number).over(promotedAt=seconds_ago(seconds))


def decide(
    holder: str | None,
    *moves: PromotionBuilder,
    status: object = None,
    spec: dict[str, object] | None = None,
    answers: dict[Question, Any] | None = None,
) -> Plan:
    """What the policy does when MLflow says that the alias points at this version."""
    builder = make_promotion_policy().with_spec(target={"alias": "champion", "onManualMove": "Report"} | (spec or {}))
    known = {SHARED: version(holder), FRESH: version(holder), CANDIDATE: None} | (answers or {})
    built = (builder.with_status(status) if status else builder).build()
    return plan(built, Observed(make_context(), (), (), known, tuple(item.build() for item in moves)), NOW)


def condition(decided: Plan, kind: str = "Conflict") -> dict[str, Any]:
    assert decided.status is not None
    return next((item for item in decided.status["conditions"] if item["type"] == kind), {})


def test_where_it_was_promoted_to_is_no_conflict() -> None:
    decided = decide("2", promoted("2"))
    assert (condition(decided)["status"], condition(decided)["reason"]) == ("False", "AsPromoted")
    assert decided.events == ()


def test_before_the_first_promotion_whoever_sets_it_begins() -> None:
    assert condition(decide("1")) == {}


@pytest.mark.parametrize(("holder", "points"), [("1", "points at version 1"), (None, "is not set")])
def test_a_move_by_hand_is_told_in_conflict_ready_and_an_event(holder: str | None, points: str) -> None:
    decided = decide(holder, promoted("2"))
    said = condition(decided)
    assert (said["status"], said["reason"]) == ("True", "MovedByHand")
    assert (
        f"digits@champion {points}, which no Promotion did; the last one, team-a/digits-2, was of version 2"
        in (said["message"])
    )
    assert "or set spec.target.onManualMove to Revert" in said["message"]
    assert (condition(decided, "Ready")["reason"], condition(decided, "Ready")["message"]) == (
        "MovedByHand",
        said["message"],
    )
    assert [(event.reason, event.type) for event in decided.events] == [("MovedByHand", "Warning")]


def test_the_same_move_is_told_once_and_another_one_again() -> None:
    first = decide("1", promoted("2"))
    assert decide("1", promoted("2"), status=first.status).events == ()
    assert [event.reason for event in decide("3", promoted("2"), status=first.status).events] == ["MovedByHand"]


def test_what_is_shared_may_be_older_than_the_promotion_and_is_read_anew() -> None:
    decided = decide("1", promoted("2"), answers={FRESH: version("2")})
    assert condition(decided)["status"] == "False"
    assert (decided.status or {})["champion"]["version"] == "2"


def test_while_a_promotion_moves_it_nothing_is_said() -> None:
    moving = make_promotion("digits-3", "3").judged("Promoting")
    assert condition(decide("3", promoted("2"), moving)) == {}


def test_the_last_promotion_counts_whoever_made_it() -> None:
    roll_back = promoted("1", seconds=5, name="by-hand")
    assert condition(decide("1", promoted("2", seconds=60), roll_back))["status"] == "False"
    assert condition(decide("2", promoted("2", seconds=60), roll_back))["status"] == "True"


def test_of_two_promotions_within_a_second_either_may_have_been_the_last() -> None:
    both = (promoted("2", seconds=5), promoted("3", seconds=5))
    assert [condition(decide(number, *both))["status"] for number in ("2", "3", "1")] == ["False", "False", "True"]


def test_revert_moves_it_back_and_says_so_once() -> None:
    revert: dict[str, object] = {"onManualMove": "Revert"}
    assert decide("1", promoted("2"), spec=revert).questions == (BACK,)
    decided = decide("1", promoted("2"), spec=revert, answers={BACK: AliasHolder("2")})
    assert (condition(decided)["status"], condition(decided)["reason"]) == ("False", "Reverted")
    assert [event.reason for event in decided.events] == ["Reverted"]
    assert (decided.status or {})["champion"]["version"] == "2"
    after = decide("2", promoted("2"), spec=revert, status=decided.status)
    assert (after.status, after.events) == (None, ())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (AliasHolder("5"), "somebody else moves it, too"),
        (Failure("AccessDenied", "HTTP 403"), "AccessDenied: HTTP 403"),
    ],
)
def test_what_keeps_it_from_being_moved_back_is_told(answer: Any, told: str) -> None:
    decided = decide("1", promoted("2"), spec={"onManualMove": "Revert"}, answers={BACK: answer})
    assert condition(decided)["reason"] == "MovedByHand"
    assert f"it could not be moved back: {told}" in condition(decided)["message"]


def test_a_suspended_policy_reports_and_moves_nothing() -> None:
    built = make_promotion_policy().with_spec(suspend=True, target={"alias": "champion", "onManualMove": "Revert"})
    known = {SHARED: version("1"), FRESH: version("1"), CANDIDATE: None}
    decided = plan(built.build(), Observed(make_context(), (), (), known, (promoted("2").build(),)), NOW)
    assert decided.questions == ()
    assert condition(decided)["reason"] == "MovedByHand"
    assert condition(decided, "Ready")["reason"] == "Suspended"


def test_while_mlflow_is_away_what_was_said_stays_said() -> None:
    first = decide("1", promoted("2"))
    away = Failure("TrackingUnavailable", "away")
    decided = decide("1", promoted("2"), status=first.status, answers={SHARED: away})
    assert condition(decided)["reason"] == "MovedByHand"


def test_the_promotion_that_says_where_it_belongs_is_kept_beyond_the_limit() -> None:
    mine = [promoted(str(number), seconds=100 - number).of_policy() for number in (2, 3)]
    built = make_promotion_policy().with_spec(historyLimit=0).build()
    known = {SHARED: version("9"), FRESH: version("9"), CANDIDATE: None}
    made = tuple(item.build() for item in mine)
    decided = plan(built, Observed(make_context(), made, (), known, made), NOW)
    assert [ref.name for ref in decided.delete] == ["digits-2"]
