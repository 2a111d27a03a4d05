"""Shadows through a real gateway that copies requests: Envoy Gateway, as `tools.gateway install envoy` puts it up."""

import json
import math
import time

import pytest

from modelyard.adapters.traffic.counters import parse
from support.gateway_traffic import FactorClient, Steady
from support.yard import EXAMPLES, Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

FOLDER, NAME = EXAMPLES / "17-shadow", "ratings"
PATH = f"/ml/{NAME}/invocations"
FIRST, HASTY, NEXT = "2", "3", "4"
"""The factors of the three models."""
PERCENT = 25


def test_a_shadow_answers_no_client_is_refused_when_it_errs_and_taken_up_when_not(
    yard: Yard, envoy_gateway: str
) -> None:
    yard.apply(FOLDER / "1-serve.yaml")
    first = yard.serves(NAME, "ratings-first")
    yard.wait("modeldeployment", NAME, "TrafficSplit", 60)
    with Steady(FactorClient(envoy_gateway, PATH)) as steady:
        is_refused_unnoticed(yard, first)
        assert set(steady.answers) == {FIRST}

        begin_next(yard)
        yard.until(lambda: is_mirrored(yard, PERCENT), "the next version gets a part of the copies", 240)
        assert_share_of_copies(yard, seconds=15)
        assert set(steady.answers) == {FIRST}
        yard.serves(NAME, "ratings-next")
        yard.until(lambda: not yard.items("pods", "modelyard.io/predictor=canary"), "the shadow's pods go", 120)
        assert FactorClient(envoy_gateway, PATH).count(20) == {NEXT: 20}
    print(f"in all: {dict(steady.answers)}, {len(steady.failures)} failed")
    assert steady.failures == []
    assert set(steady.answers) == {FIRST, NEXT}
    assert "0 of " in yard.kubectl("logs", "deployment/ratings-client", "--tail=1"), "nor the example's own client"


def begin_next(yard: Yard) -> None:
    """The next version gets copies of a part; paused meanwhile, as another rollout in spec is a reason to try again."""
    set_spec(yard, paused=True, rollout={"mirrorPercent": PERCENT})
    yard.apply(FOLDER / "3-next-version.yaml")
    wanted = yard.wait("trainingjob", "ratings-next", "Complete")["status"]["modelVersion"]["version"]
    desired = lambda: yard.get("modeldeployment", NAME)["status"]["desiredVersion"]  # noqa: E731
    yard.until(lambda: desired() == wanted, "the alias has moved", 30)
    set_spec(yard, paused=False)


def set_spec(yard: Yard, **change: object) -> None:
    yard.kubectl("patch", "modeldeployment", NAME, "--type=merge", "--patch", json.dumps({"spec": change}))


def is_refused_unnoticed(yard: Yard, first: str) -> None:
    """A version that fails for half of the requests is found out by copies of them."""
    yard.apply(FOLDER / "2-hasty-version.yaml")
    yard.until(lambda: is_mirrored(yard, 100), "the hasty version gets copies", 240)
    copied, said = 0.0, yard.condition("modeldeployment", NAME, "TrafficSplit")
    assert "copies of 100 % to Service ratings-canary" in said["message"]

    def is_refused() -> bool:
        nonlocal copied
        if yard.get("modeldeployment", NAME)["status"].get("refusedVersions"):
            return True
        copied = requests(yard, "canary")
        return False

    yard.until(is_refused, "the hasty version is refused", 120)
    status = yard.get("modeldeployment", NAME)["status"]
    (refused,) = status["refusedVersions"]
    assert (refused["reason"], status["stable"]["version"]) == ("AnalysisFailed", first)
    assert "errors: " in refused["message"]
    errors = next(item for item in status["analysis"] if item["name"] == "errors")
    assert float(errors["value"]) == pytest.approx(0.5, abs=0.25)
    assert float(errors["stableValue"]) == 0
    print(f"the shadow was asked {copied:.0f} times, {100 * float(errors['value']):.0f} % of them in vain")
    assert min(copied, int(errors["samples"])) > 20


def is_mirrored(yard: Yard, percent: int) -> bool:
    """Whether the version that is tried gets copies, and the Gateway has said so."""
    status = yard.get("modeldeployment", NAME)["status"]
    split = yard.condition("modeldeployment", NAME, "TrafficSplit")
    is_told = f"copies of {percent} % to Service" in split.get("message", "") and split["status"] == "True"
    return is_told and (status.get("canary") or {}).get("mirrorPercent") == percent


def assert_share_of_copies(yard: Yard, seconds: float) -> None:
    """Within three standard deviations of what a toss for each request would give."""
    before = {name: requests(yard, name) for name in ("stable", "canary")}
    time.sleep(seconds)
    grown = {name: requests(yard, name) - count for name, count in before.items()}
    share = PERCENT / 100
    seen, sigma = grown["canary"] / grown["stable"], math.sqrt(share * (1 - share) / grown["stable"])
    off = abs(seen - share) / sigma
    print(f"{PERCENT} % copied: {100 * seen:.2f} % of {grown['stable']:.0f} requests, {off:.2f} sigma off")
    assert grown["stable"] > 200
    # Two servers are not read at the same moment: some requests of a fraction of a second.
    assert abs(seen - share) <= 3 * sigma + 10 / grown["stable"], grown


def requests(yard: Yard, predictor: str) -> float:
    """How many predictions the pods of a predictor have counted; none while there are no pods."""
    counted = 0.0
    for pod in yard.items("pods", f"modelyard.io/predictor={predictor}"):
        statuses = pod["status"].get("containerStatuses") or [{}]
        if all(item.get("ready") for item in statuses):
            path = f"/api/v1/namespaces/{yard.namespace}/pods/{pod['metadata']['name']}:6000/proxy/prometheus"
            counted += parse(yard.site.kubectl.run("get", "--raw", path)).requests
    return counted
