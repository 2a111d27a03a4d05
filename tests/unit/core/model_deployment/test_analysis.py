"""What a check of a canary finds, for everything that may have been measured."""

import math
from typing import Any

import pytest

from modelyard.api.analysis import Analysis
from modelyard.core.disagreement import Compared
from modelyard.core.model_deployment.analysis import Measured, judge, verdict, what_failed, what_is_missing
from modelyard.core.plan import Failure
from modelyard.core.traffic import Traffic

ERRORS = {"name": "errors", "builtin": "ErrorRate", "max": "0.01"}
LATENCY = {"name": "latency", "builtin": "LatencyP95Seconds", "max": "0.3"}
DRIFT = {"name": "drift", "prometheus": {"query": "drift"}, "min": "-0.5", "max": "0.2"}
AWAY = Failure("MetricsUnreachable", "the operator cannot read pod a")
NOTHING = Traffic(0, 0, None, 15)


def traffic(requests: int, errors: int = 0, latency: float | None = 0.1, unread: int = 0) -> Traffic:
    return Traffic(requests, errors, latency, 15, unread)


def analysis(*metrics: dict[str, Any], **fields: Any) -> Analysis:
    return Analysis.model_validate({"metrics": list(metrics), **fields})


def found(metric: dict[str, Any], canary: Any = NOTHING, stable: Any = NOTHING, number: Any = None) -> dict[str, Any]:
    (item,) = judge(analysis(metric), Measured(canary, stable, {metric["name"]: number}), [])
    return item


@pytest.mark.parametrize(
    ("canary", "stable", "result"),
    [
        (traffic(100), traffic(900), "Pass"),
        (traffic(100, 1), traffic(900), "Pass"),
        (traffic(100, 50), traffic(900), "Fail"),
        (traffic(100, 50), traffic(900, 450), "Pass"),
        (traffic(100, 5), traffic(900, 45), "Pass"),
        (traffic(99, 99), traffic(900), "Inconclusive"),
        (NOTHING, traffic(900), "Inconclusive"),
        (AWAY, traffic(900), "Inconclusive"),
        (traffic(100, 50), NOTHING, "Fail"),
        (traffic(100, 50), traffic(99, 99), "Fail"),
        (traffic(100, 0), NOTHING, "Pass"),
        (traffic(100, 0), AWAY, "Pass"),
        (traffic(100, 50), AWAY, "Inconclusive"),
        (traffic(100, 0, unread=1), traffic(900), "Inconclusive"),
        (traffic(100, 50, unread=1), traffic(900), "Fail"),
        (traffic(100, 50), traffic(900, 0, unread=2), "Fail"),
        (Traffic(0, 0, None, 0), traffic(900), "Inconclusive"),
    ],
)
def test_an_error_rate_fails_when_it_is_too_high_and_the_stable_versions_is_not(
    canary: Traffic, stable: Traffic, result: str
) -> None:
    assert found(ERRORS, canary, stable)["result"] == result


@pytest.mark.parametrize(
    ("canary", "stable", "over", "result"),
    [
        (0.2, 0.1, None, "Pass"),
        (0.4, 0.1, None, "Fail"),
        (0.4, 0.39, None, "Pass"),
        (0.44, 0.39, None, "Fail"),
        (0.44, 0.39, "0.1", "Pass"),
        (0.4, 0.39, "0", "Fail"),
        (0.4, 0.9, None, "Pass"),
        (None, 0.1, None, "Inconclusive"),
        (0.4, None, None, "Fail"),
    ],
)
def test_a_latency_fails_when_it_is_too_high_and_higher_than_the_stable_versions(
    canary: float | None, stable: float | None, over: str | None, result: str
) -> None:
    metric = LATENCY | ({"maxOverStable": over} if over else {})
    assert found(metric, traffic(100, latency=canary), traffic(900, latency=stable))["result"] == result


@pytest.mark.parametrize(
    ("number", "result"),
    [
        (0.1, "Pass"),
        (0.2, "Pass"),
        (0.21, "Fail"),
        (-0.6, "Fail"),
        (math.inf, "Fail"),
        (math.nan, "Inconclusive"),
        (None, "Inconclusive"),
        (AWAY, "Inconclusive"),
    ],
)
def test_a_query_fails_out_of_its_bounds_and_is_never_passed_by_what_is_no_number(number: Any, result: str) -> None:
    assert found(DRIFT, number=number)["result"] == result


def test_status_tells_value_threshold_and_samples_of_both() -> None:
    assert found(ERRORS, traffic(100, 50), traffic(900, 9)) == {
        "name": "errors",
        "result": "Fail",
        "value": "0.5",
        "stableValue": "0.01",
        "threshold": "<= 0.01",
        "samples": 100,
        "stableSamples": 900,
        "failures": 1,
        "message": "0.5 is not <= 0.01; the stable version has 0.01 in the same window",
    }


def test_too_little_traffic_is_told_with_how_much_is_needed() -> None:
    item = found(ERRORS, Traffic(12, 12, 0.1, 14.6), traffic(900))
    assert item["message"] == "12 predictions in 15 s, minSamples is 100"
    assert (item["samples"], item["failures"]) == (12, 0)


def test_failures_are_counted_on_over_checks_until_there_are_too_many() -> None:
    spec = analysis(ERRORS, failureLimit=2)
    bad, good = Measured(traffic(100, 50), traffic(900), {}), Measured(traffic(100), traffic(900), {})
    first = judge(spec, bad, [])
    assert verdict(spec, first) == "Inconclusive"
    second = judge(spec, good, first)
    assert verdict(spec, second) == "Pass"
    third = judge(spec, bad, second)
    assert (verdict(spec, third), third[0]["failures"]) == ("Fail", 2)
    assert what_failed(spec, third).startswith("errors: 0.5 is not <= 0.01")


def test_a_check_passes_when_every_metric_does() -> None:
    spec = analysis(ERRORS, LATENCY)
    items = judge(spec, Measured(traffic(100, latency=None), traffic(900), {}), [])
    assert [item["result"] for item in items] == ["Pass", "Inconclusive"]
    assert verdict(spec, items) == "Inconclusive"
    assert what_is_missing(items) == "latency: the server tells no latency"


def test_one_metric_that_fails_ends_it_whatever_the_others_say() -> None:
    spec = analysis(LATENCY, ERRORS)
    items = judge(spec, Measured(traffic(100, 50, latency=None), traffic(900), {}), [])
    assert verdict(spec, items) == "Fail"
    assert what_failed(spec, items).startswith("errors:")


SAME = {"name": "same", "builtin": "Disagreement", "max": "0.02"}


def compared(compared: Compared | Failure, metric: dict[str, Any] = SAME) -> dict[str, Any]:
    (item,) = judge(analysis(metric), Measured(NOTHING, NOTHING, {}, compared), [])
    return item


@pytest.mark.parametrize(
    ("what", "result", "value", "words"),
    [
        (Compared(100, 0, 15), "Pass", "0", "0 of 100 predictions differ from the stable version's"),
        (Compared(100, 2, 15), "Pass", "0.02", "2 of 100"),
        (Compared(100, 3, 15), "Inconclusive", "0.03", "may be chance; more traffic tells"),
        (Compared(100, 30, 15), "Fail", "0.3", "0.3 is not <= 0.02"),
        (Compared(100, 100, 15), "Fail", "1", "100 of 100"),
        (Compared(99, 99, 15.2, told=240), "Inconclusive", None, "in 15 s, of 240 answers of the new version; minSam"),
        (
            Compared(0, 0, 15),
            "Inconclusive",
            None,
            "0 predictions of both versions for the same requests in 15 s; minS",
        ),
        (Compared(100, 0, 15, unread=1), "Inconclusive", "0", "1 of the new version's pods cannot be read"),
        (Compared(100, 30, 15, unread=1), "Fail", "0.3", "0.3 is not <= 0.02"),
        (AWAY, "Inconclusive", None, "the operator cannot read pod a"),
    ],
)
def test_predictions_that_differ_too_often_beyond_chance_fail(
    what: Compared | Failure, result: str, value: str | None, words: str
) -> None:
    item = compared(what)
    assert (item["result"], item.get("value"), item["threshold"]) == (result, value, "<= 0.02")
    assert words in item["message"]
    assert item.get("samples") == (what.pairs if isinstance(what, Compared) else None)


def test_with_a_max_of_zero_one_difference_is_too_much() -> None:
    assert compared(Compared(100, 1, 15), SAME | {"max": "0"})["result"] == "Fail"
    assert compared(Compared(100, 0, 15), SAME | {"max": "0"})["result"] == "Pass"


def test_where_nothing_was_compared_nothing_passes() -> None:
    assert found(SAME, traffic(1000), traffic(9000))["result"] == "Inconclusive"
