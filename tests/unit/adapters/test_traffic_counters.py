"""What is read out of a server's metrics, and how readings make a window."""

import math

import pytest

from modelyard.adapters.traffic.counters import Counts, Reading, increase, parse, quantile
from support.exposition import counted


def test_predictions_are_counted_whatever_their_answer_and_errors_are_those_answered_4xx_or_5xx() -> None:
    counts = parse(counted(10, 3))
    assert (counts.requests, counts.errors) == (10, 3)
    assert counts.buckets[0.05] == 10
    assert counts.buckets[0.01] == 0


@pytest.mark.parametrize("path", ["/v2/models/{model_name}/ready", "/v2/health/live", "/v2/models/{model_name}", "/"])
def test_probes_and_metadata_are_no_predictions(path: str) -> None:
    assert parse(counted(10, path=path)).requests == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1.0/predictions",
        "/predict",
        "/invocations",
        "/v2/models/{model_name}/versions/{model_version}/infer",
        "/v2/models/{model_name}/infer",
    ],
)
def test_all_ways_to_ask_for_a_prediction_count(path: str) -> None:
    assert parse(counted(10, path=path)).requests == 10


def test_a_model_that_raises_is_answered_400_at_invocations_and_that_is_an_error() -> None:
    text = 'rest_server_requests_total{path="/invocations",status_code="400"} 4.0\n'
    assert parse(text) == Counts(4, 4, {})


@pytest.mark.parametrize("text", ["", "<html>", "python_info 1\n", 'rest_server_requests_total{path="/infer"} NaN\n'])
def test_a_server_that_counted_nothing_yet_tells_nothing(text: str) -> None:
    assert parse(text) == Counts()


@pytest.mark.parametrize("text", ["rest_server_requests_total{path=", 'rest_server_requests_total{path="a"} many\n'])
def test_what_is_no_metric_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


def readings(*requests: float) -> list[Reading]:
    return [Reading(at, Counts(count, 0, {1.0: count, math.inf: count})) for at, count in enumerate(requests)]


@pytest.mark.parametrize(
    ("counts", "grown"),
    [((5,), 0), ((), 0), ((5, 9), 4), ((5, 9, 9), 4), ((100, 120, 3), 23), ((100, 3, 10), 10), ((9, 0, 0), 0)],
)
def test_a_server_that_begins_to_count_anew_loses_nothing_that_was_read(counts: tuple[float, ...], grown: int) -> None:
    total = increase(readings(*counts))
    assert total.requests == grown
    assert total.buckets.get(math.inf, 0) == grown


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({}, None),
        ({0.1: 0, math.inf: 0}, None),
        ({0.1: 100, math.inf: 100}, 0.095),
        ({0.1: 90, 0.2: 100, math.inf: 100}, 0.15),
        ({0.1: 0, 0.2: 100, math.inf: 100}, 0.195),
        ({0.1: 50, math.inf: 100}, 0.1),
        ({math.inf: 10}, 0.0),
    ],
)
def test_a_quantile_is_what_prometheus_would_say(buckets: dict[float, float], expected: float | None) -> None:
    found = quantile(0.95, buckets)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_series_of_the_same_bound_add_up() -> None:
    assert parse(counted(4) + counted(6, path="/invocations")).buckets[0.05] == 10
