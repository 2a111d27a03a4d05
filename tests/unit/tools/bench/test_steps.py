"""A canary's steps: when each weight held, and what was answered meanwhile."""

import math

import pytest

from tools.bench.pods import Count
from tools.bench.steps import Share, Weight, figures_of_canary, share_of, weights_between


def count(at: float, old: int, new: int) -> Count:
    return Count({"1": old, "2": new}, failures=0, errors=(), at=at, newest="2", alone_seconds=0, slowest_seconds=0.5)


def test_a_weight_holds_until_the_next_one_is_written_and_the_last_until_the_takeover() -> None:
    written = [(5.0, 0), (10.0, 10), (10.1, 10), (40.0, 25), (70.5, 0), (71.0, 100)]

    assert weights_between(written, takeover=70.0) == [Weight(10, 10.0, 40.0), Weight(25, 40.0, 70.0)]


def test_a_route_without_a_weight_has_no_steps() -> None:
    assert weights_between([(5.0, 0), (80.0, 50)], takeover=70.0) == []


def test_only_what_was_answered_while_the_weight_held_is_counted() -> None:
    history = [count(9, 100, 0), count(12.9, 150, 0), count(13, 160, 1), count(20, 223, 8), count(30.1, 300, 300)]

    assert share_of(Weight(10, 10, 30), history, "2") == Share(10, canary=7, total=70)


@pytest.mark.parametrize("history", [[], [count(15, 1, 1)]])
def test_a_weight_under_which_nothing_was_counted_is_infinitely_far_off(history: list[Count]) -> None:
    share = share_of(Weight(10, 10, 30), history, "2")

    assert share.sigmas == math.inf
    assert "nan % of 0" in str(share)


def test_a_share_is_told_with_its_distance() -> None:
    assert str(Share(10, canary=119, total=1000)) == "10 %: 11.90 % of 1000 answers, 2.00 sigma off"


@pytest.mark.parametrize(("end", "holds"), [(71.2, True), (71.3, False)])
def test_steps_may_take_two_per_cent_more_than_their_sum(end: float, holds: bool) -> None:
    weights = [Weight(10, 10, 40.1), Weight(25, 40.1, end)]
    ratio, *off = figures_of_canary(weights, [Share(10, 100, 1000), Share(25, 100, 1000)], pause_seconds=30)

    assert ratio.holds is holds
    assert [figure.holds for figure in off] == [True, False]
