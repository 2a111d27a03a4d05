"""Conditions keep the time of their last change, and statuses are compared by what they say."""

from datetime import timedelta

import pytest

from builders import NOW, seconds_ago
from modelyard.core.conditions import Conditions, find, is_same_status, last_words, shorten


def condition(status: str = "True", reason: str = "Old") -> dict[str, object]:
    return {"type": "Ready", "status": status, "reason": reason, "lastTransitionTime": seconds_ago(60)}


def test_the_time_stays_while_the_status_does() -> None:
    conditions = Conditions([condition()], generation=3, now=NOW)
    conditions.true("Ready", "New", "said")
    [stated] = conditions.as_list()
    assert stated["lastTransitionTime"] == seconds_ago(60)
    assert (stated["reason"], stated["message"], stated["observedGeneration"]) == ("New", "said", 3)


def test_the_time_moves_with_the_status() -> None:
    conditions = Conditions([condition()], generation=1, now=NOW)
    conditions.false("Ready", "Old")
    assert conditions.as_list()[0]["lastTransitionTime"] == seconds_ago(0)


def test_a_condition_that_is_stated_twice_keeps_its_first_time() -> None:
    conditions = Conditions([condition("True")], generation=1, now=NOW + timedelta(seconds=9))
    conditions.unknown("Ready", "Away")
    conditions.true("Ready", "Back")
    assert conditions.as_list()[0]["lastTransitionTime"] == seconds_ago(60)


def test_what_is_not_stated_goes() -> None:
    assert Conditions([condition()], generation=1, now=NOW).as_list() == []


def test_what_is_kept_stays_as_it_was() -> None:
    conditions = Conditions([condition()], generation=7, now=NOW)
    conditions.keep("Ready")
    conditions.keep("Missing")
    assert conditions.as_list() == [condition()]


def test_a_message_is_one_line_and_bounded() -> None:
    assert shorten("a\n  b\x00c\td") == "a b c d"
    assert shorten("x" * 2000) == "x" * 1023 + "…"
    assert shorten("x" * 10, 10) == "x" * 10


def test_the_last_words_of_a_log_are_its_end() -> None:
    assert last_words("first\nlast", 100) == "first last"
    assert last_words("a long beginning and the end", 8) == "…the end"


@pytest.mark.parametrize("status", [{}, {"conditions": None}, {"conditions": []}])
def test_a_condition_that_is_not_there_is_empty(status: dict[str, object]) -> None:
    assert find(status, "Ready") == {}


def test_the_order_of_conditions_says_nothing() -> None:
    one, other = condition(), condition() | {"type": "Complete"}
    assert is_same_status({"a": 1, "conditions": [one, other]}, {"a": 1, "conditions": [other, one]})


@pytest.mark.parametrize(
    "other", [{"a": 2, "conditions": [condition()]}, {"a": 1, "conditions": [condition("False")]}, {"a": 1}, {}]
)
def test_statuses_that_say_something_else_differ(other: dict[str, object]) -> None:
    assert not is_same_status({"a": 1, "conditions": [condition()]}, other)
