"""Who comes first, who is overtaken, and what is said of an alias that somebody else moved."""

from typing import Any

import pytest

from builders import NOW, PromotionBuilder, make_context, make_promotion, make_promotion_policy, seconds_ago
from modelyard.core.plan import Failure, Manifest, Plan
from modelyard.core.promotion.observed import Observed
from modelyard.core.promotion.plan import plan
from modelyard.core.tracking import (
    AliasHolder,
    GetVersion,
    MoveAlias,
    ReadAlias,
    RegisteredVersion,
    ResolveAlias,
    TagVersion,
)

DIGEST = "sha256:" + "a" * 64
AWAY = Failure("TrackingUnavailable", "no answer")


def version(number: str) -> RegisteredVersion:
    return RegisteredVersion("digits", number, None, None)


def settled(
    builder: PromotionBuilder,
    champion: str | None = "1",
    *others: PromotionBuilder,
    policy: Manifest | None = None,
    candidate: Any = None,
    shared: Any = None,
    moved_to: Any = None,
) -> Plan:
    """The plan once all is answered; `shared` is what is known of the champion's alias without reading it anew."""
    answers: dict[Any, Any] = {}
    made = tuple(item.build() for item in others)
    for _ in range(20):
        found = plan(builder.build(), Observed(make_context(), (), (), made, policy, dict(answers)), NOW)
        if not found.questions:
            return found
        (question,) = found.questions
        match question:
            case ResolveAlias(_, "champion"):
                answers[question] = shared or (version(champion) if champion else None)
            case ReadAlias(_, "champion"):
                answers[question] = version(champion) if champion else None
            case ResolveAlias(_, "candidate") | ReadAlias(_, "candidate"):
                answers[question] = candidate
            case MoveAlias():
                answers[question] = moved_to or AliasHolder(question.version)
            case GetVersion() | TagVersion():
                answers[question] = version("2")
            case _:
                raise AssertionError(question)
    raise AssertionError("asks without end")


def said(made: Plan) -> tuple[str, str]:
    assert made.status is not None
    complete = next(item for item in made.status["conditions"] if item["type"] == "Complete")
    return complete["reason"], complete["message"]


READY = make_promotion().judged("Promoting", digest=DIGEST)
OF_POLICY = make_promotion("digits-2").of_policy().judged("Promoting", digest=DIGEST)
POLICY = make_promotion_policy().build()


def test_the_first_that_was_made_moves_first() -> None:
    first = make_promotion("a", "3", age_seconds=90).judged("Promoting")
    reason, message = said(settled(READY, "1", first))
    assert (reason, message) == ("Promoting", "Promotion team-a/a moves the alias first")


@pytest.mark.parametrize(
    "other",
    [
        make_promotion("later", "3", age_seconds=9).judged("Promoting"),
        make_promotion("waits", "3", age_seconds=90).judged("AwaitingApproval"),
        make_promotion("over", "3", age_seconds=90).over("GateFailed"),
    ],
)
def test_nobody_waits_for_one_that_does_not_move_before(other: PromotionBuilder) -> None:
    assert said(settled(READY, "1", other))[0] == "Promoted"


def test_of_two_of_the_same_second_the_name_decides() -> None:
    twin = make_promotion("b", "3").judged("Promoting")
    assert said(settled(READY, "1", twin))[0] == "Promoting"
    assert said(settled(make_promotion("a").judged("Promoting", digest=DIGEST), "1", twin))[0] == "Promoted"


def test_a_newer_candidate_takes_the_place_of_an_older_one() -> None:
    newer = make_promotion("digits-10", "10", age_seconds=60).of_policy()
    reason, message = said(settled(OF_POLICY, "1", newer, policy=POLICY))
    assert (reason, message) == ("Superseded", "version 10 is the newer candidate: see Promotion team-a/digits-10")


@pytest.mark.parametrize(
    "other",
    [
        make_promotion("digits-1", "1", age_seconds=600).of_policy(),
        make_promotion("others-9", "9", age_seconds=1).of_policy("others"),
        make_promotion("by-hand", "9", age_seconds=1),
        make_promotion("far", "9", age_seconds=1).of_policy().changed("metadata", "namespace", to="team-b"),
    ],
)
def test_others_do_not(other: Any) -> None:
    assert said(settled(OF_POLICY, "1", other, policy=POLICY, candidate=version("2")))[0] == "Promoted"


def test_a_candidate_that_is_none_any_more_is_not_promoted() -> None:
    reason, message = said(settled(OF_POLICY, policy=POLICY, candidate=version("3")))
    assert (reason, message) == ("Superseded", "digits@candidate points at version 3 now")


@pytest.mark.parametrize("candidate", [None, AWAY])
def test_without_a_word_of_another_candidate_it_goes_on(candidate: Any) -> None:
    assert said(settled(OF_POLICY, policy=POLICY, candidate=candidate))[0] == "Promoted"


def test_what_is_known_of_the_alias_may_be_old_and_is_read_anew_before_it_counts() -> None:
    assert said(settled(READY, "1", shared=version("9")))[0] == "Promoted"
    assert said(settled(READY, "9", shared=version("9")))[0] == "Conflict"


def test_while_mlflow_does_not_say_nothing_is_concluded() -> None:
    assert said(settled(make_promotion().judged(digest=DIGEST), shared=AWAY))[0] == "Promoting"


def test_whoever_moved_the_alias_is_named() -> None:
    faster = make_promotion("faster", "9", age_seconds=9).over(promotedAt=seconds_ago(5))
    before = make_promotion("before", "9", age_seconds=900).over(promotedAt=seconds_ago(800))
    reason, message = said(settled(READY, "9", before, faster))
    assert reason == "Superseded"
    assert "points at version 9 since Promotion team-a/faster" in message


def test_one_that_has_not_said_yet_that_it_moved_the_alias_is_waited_for() -> None:
    faster = make_promotion("faster", "9", age_seconds=900).judged("Promoting")
    reason, message = said(settled(make_promotion().judged("Hashing", digest=DIGEST), "9", faster))
    assert (reason, message) == ("Hashing", "Promotion team-a/faster moves digits@champion to version 9")


def test_an_alias_that_is_gone_is_a_conflict() -> None:
    reason, message = said(settled(READY, None))
    assert reason == "Conflict"
    assert "points at no version now" in message


def test_a_move_of_which_nothing_is_known_keeps_its_place() -> None:
    made = settled(READY, moved_to=AWAY)
    assert said(made) == ("Promoting", "TrackingUnavailable: no answer")
    assert made.recheck_after == 5.0


def test_a_suspended_policy_lets_nothing_move() -> None:
    suspended = make_promotion_policy().with_spec(suspend=True).build()
    assert said(settled(OF_POLICY, policy=suspended, candidate=version("2")))[0] == "Suspended"
