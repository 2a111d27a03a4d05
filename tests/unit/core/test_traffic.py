"""Where a predictor's pods are reached."""

from typing import Any

from modelyard.core.traffic import PodAddress, addresses


def pod(name: str, **status: Any) -> dict[str, Any]:
    return {"metadata": {"uid": f"uid-{name}", "name": name, "namespace": "team"}, "status": status}


def test_running_pods_with_an_address_are_reached_in_an_order_of_their_own() -> None:
    pods = [pod("b", phase="Running", podIP="10.0.0.2"), pod("a", phase="Running", podIP="10.0.0.1")]
    assert addresses(pods) == addresses(reversed(pods))
    assert addresses(pods)[0] == PodAddress("uid-a", "10.0.0.1", "team", "a")


def test_pods_without_an_address_and_those_that_ended_are_not() -> None:
    pods = [pod("a", phase="Running"), pod("b", phase="Failed", podIP="10.0.0.1"), pod("c")]
    assert addresses(pods) == ()
