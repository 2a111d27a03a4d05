"""Which pods carry which share of the traffic."""

import pytest

from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor, canary_replicas


@pytest.mark.parametrize(
    ("replicas", "weight", "pods"),
    [(1, 1, 1), (1, 100, 1), (2, 50, 1), (2, 51, 2), (4, 25, 1), (4, 26, 2), (10, 10, 1), (10, 99, 10), (10, 100, 10)],
)
def test_a_canary_has_pods_for_its_share_and_at_least_one(replicas: int, weight: int, pods: int) -> None:
    assert canary_replicas(replicas, weight) == pods


@pytest.mark.parametrize(
    ("has_canary", "weight", "weights"),
    [
        (False, 0, {STABLE: 100}),
        (False, 30, {STABLE: 100}),
        (True, 0, {STABLE: 100}),
        (True, 30, {STABLE: 70, CANARY: 30}),
        (True, 100, {CANARY: 100}),
    ],
)
def test_shares_sum_to_100_and_name_only_who_gets_some(has_canary: bool, weight: int, weights: dict[str, int]) -> None:
    layout = Layout(Predictor(STABLE, "1", 2), Predictor(CANARY, "2", 1) if has_canary else None, weight)
    assert layout.weights == weights
    assert sum(layout.weights.values()) == 100
