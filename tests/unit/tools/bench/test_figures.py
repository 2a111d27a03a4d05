"""What measured values come to."""

import math

import pytest

from tools.bench.figures import Figure, Switch, Switches, figures_of, off_by_sigmas, percentile


@pytest.mark.parametrize(("percent", "expected"), [(0, 1.0), (1, 1.0), (50, 5.0), (51, 6.0), (99, 10.0), (100, 10.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    values = [10.0, 3.0, 1.0, 2.0, 5.0, 4.0, 6.0, 9.0, 8.0, 7.0]

    assert percentile(values, percent) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


@pytest.mark.parametrize(
    ("seen", "total", "share", "expected"),
    [
        (100, 1000, 0.1, 0.0),
        (119, 1000, 0.1, 2.0),
        (0, 100, 0.0, 0.0),
        (1, 100, 0.0, math.inf),
        (99, 100, 1.0, math.inf),
    ],
)
def test_a_count_is_compared_with_its_share_in_standard_deviations(
    seen: int, total: int, share: float, expected: float
) -> None:
    assert off_by_sigmas(seen, total, share) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("value", "is_at_least", "holds"),
    [(1.0, False, True), (1.1, False, False), (0.9, True, False), (math.nan, False, False), (math.nan, True, False)],
)
def test_a_figure_holds_up_to_its_bound(value: float, is_at_least: bool, holds: bool) -> None:
    figure = Figure("of something", value, 1.0, "s", is_at_least)

    assert figure.holds is holds
    assert ("DOES NOT HOLD" in str(figure)) is not holds


def test_what_following_adds_is_counted_from_the_slowest_to_the_slowest() -> None:
    switches = Switches(followed=[Switch(1.0, 15.0), Switch(1.0, 12.0)], bare=[10.0, 11.0, 9.0])

    assert switches.added(switches.followed) == 4.0


def test_every_value_is_told_in_the_order_it_was_measured() -> None:
    switches = Switches([Switch(4.5, 15.0), Switch(1.0, 12.0)], [Switch(0.1, 10.5)], [10.0, 9.0])

    assert list(switches.as_measured()) == [
        "alias moved, object written: 4.50 1.00",
        "alias moved, first answer: 15.00 12.00",
        "alias moved and told by webhook, object written: 0.10",
        "alias moved and told by webhook, first answer: 10.50",
        "bare Deployment patched, first answer: 10.00 9.00",
    ]


def test_a_failed_request_is_a_figure_that_does_not_hold() -> None:
    switches = Switches([Switch(1.0, 12.0)], [Switch(0.2, 10.5)], [10.0])
    figures = figures_of(switches, {"served": 1, "bare": 0}, poll_seconds=5)

    assert [figure.name for figure in figures if not figure.holds] == ["failed requests of the ModelDeployment"]


@pytest.mark.parametrize(
    ("followed", "hinted", "failing"),
    [
        (Switch(5.5, 15.5), Switch(1.0, 11.0), []),
        (Switch(5.5, 15.6), Switch(1.0, 11.1), ["first answer, p99 less the bare one's p99"] * 2),
        (Switch(5.6, 15.5), Switch(math.inf, 11.0), ["the server's object is written, p99"] * 2),
    ],
)
def test_following_may_add_the_poll_interval_and_half_a_second_and_a_second_when_told(
    followed: Switch, hinted: Switch, failing: list[str]
) -> None:
    figures = figures_of(Switches([followed], [hinted], [10.0]), {"served": 0, "bare": 0}, poll_seconds=5)

    assert [figure.name.partition(": ")[2] for figure in figures if not figure.holds] == failing
