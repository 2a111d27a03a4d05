"""Requests through real gateways: Traefik, as `python3 -m tools.gateway install` puts it up, and Envoy Gateway."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.gateway_traffic import Client, Steady
from support.yard import EXAMPLES, Yard
from tools.demo.place import Site
from tools.gateway import envoy
from tools.gateway.manifests import NAME, NAMESPACE, PORT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

FEW, MANY = 20, 2000
PATH = "/ml/digits/v2/models/model/infer"
WEIGHTED, WEIGHTED_PATH = "digits-weighted", "/ml/digits-weighted/v2/models/model/infer"


@pytest.fixture(scope="session")
def gateway(site: Site) -> str:
    """The address of the gateway, as this machine reaches it."""
    service = json.loads(site.kubectl.run("get", "service", NAME, "--namespace", NAMESPACE, "--output", "json"))
    return f"http://{service['spec']['clusterIP']}:{PORT}"


def test_requests_come_in_through_the_gateway_and_a_switch_loses_none(yard: Yard, gateway: str) -> None:
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.apply(EXAMPLES / "09-route.yaml")
    first = yard.serves("digits-routed", "digits-logistic")
    yard.wait("modeldeployment", "digits-routed", "TrafficSplit", 60)
    status = yard.get("modeldeployment", "digits-routed")["status"]
    assert status["url"] == f"http://{NAME}.{NAMESPACE}.svc:{PORT}{PATH}"
    assert Client(gateway, PATH).count(FEW) == {first: FEW}

    with Steady(Client(gateway, PATH)) as steady:
        yard.apply(EXAMPLES / "02-digits-seldon" / "2-next-version.yaml")
        second = yard.serves("digits-routed", "digits-svm")
        yard.until(lambda: steady.answers[second] > FEW, "the new version answers", 60)
    assert steady.failures == []
    assert min(steady.answers[first], steady.answers[second]) > FEW

    yard.kubectl("delete", "modeldeployment", "digits-routed", "--timeout=60s")
    yard.until(lambda: not yard.items("httproutes.gateway.networking.k8s.io"), "the route goes with its owner")


def test_a_canary_has_its_weight_of_the_requests_and_none_is_lost(yard: Yard, gateway: str) -> None:
    second = assert_weighted_canary(yard, gateway, NAMESPACE)

    # Traefik takes routes that ask for copies, and makes none: its class is asked, not the route.
    shadow = {"strategy": "Shadow", "steps": [{"pause": {}}], "withoutRoute": None}
    patch = json.dumps({"spec": {"rollout": shadow}})
    yard.kubectl("patch", "modeldeployment", WEIGHTED, "--type=merge", "--patch", patch)
    split = lambda: yard.condition("modeldeployment", WEIGHTED, "TrafficSplit")  # noqa: E731
    yard.until(lambda: split().get("reason") == "ShadowUnsupported", "a shadow is refused", 60)
    assert Client(gateway, WEIGHTED_PATH).count(FEW) == {second: FEW}


def test_another_gateway_gives_a_canary_its_weight_too(yard: Yard, envoy_gateway: str) -> None:
    assert_weighted_canary(yard, envoy_gateway, envoy.NAMESPACE)


def assert_weighted_canary(yard: Yard, gateway: str, namespace: str) -> str:
    """The example's canary through the Gateway `web` of a namespace; the version that is taken up."""
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.apply(through(namespace, EXAMPLES / "15-canary-through-a-gateway.yaml"))
    first = yard.serves(WEIGHTED, "digits-logistic")
    yard.wait("modeldeployment", WEIGHTED, "TrafficSplit", 60)

    with Steady(Client(gateway, WEIGHTED_PATH)) as steady:
        yard.apply(EXAMPLES / "02-digits-seldon" / "2-next-version.yaml")
        second: str = yard.wait("trainingjob", "digits-svm", "Complete", 300)["status"]["modelVersion"]["version"]
        yard.until(lambda: reason(yard) == "AwaitingResume", "the canary waits at its first weight", 240)
        assert_share(Client(gateway, WEIGHTED_PATH).count(MANY), second, 20)
        resume = f"modelyard.io/resume={second}"
        yard.kubectl("annotate", "--overwrite", "modeldeployment", WEIGHTED, resume)
        yard.until(lambda: weights(yard) == [40, 60], "the Gateway is told the next weight", 60)
        yard.until(lambda: is_split(yard), "it has taken it", 10)
        assert_share(Client(gateway, WEIGHTED_PATH).count(MANY // 2), second, 60)
        yard.serves(WEIGHTED, "digits-svm")
        yard.until(lambda: weights(yard) == [100], "the stable pods have all the traffic", 60)
        yard.until(lambda: is_split(yard), "it has taken that too", 10)
        assert Client(gateway, WEIGHTED_PATH).count(FEW) == {second: FEW}
    print(f"in all: {dict(steady.answers)}, {len(steady.failures)} failed")
    assert steady.failures == []
    assert min(steady.answers[first], steady.answers[second]) > FEW
    return second


def through(namespace: str, example: Path) -> dict[str, Any]:
    """An example's ModelDeployment, led through the Gateway of another namespace."""
    manifest: dict[str, Any] = yaml.safe_load(example.read_text())
    manifest["spec"]["route"]["gateway"]["namespace"] = namespace
    return manifest


def reason(yard: Yard) -> str:
    return str(yard.condition("modeldeployment", WEIGHTED, "Ready").get("reason"))


def is_split(yard: Yard) -> bool:
    return yard.condition("modeldeployment", WEIGHTED, "TrafficSplit").get("status") == "True"


def weights(yard: Yard) -> list[int]:
    [rule] = yard.get("httproute", WEIGHTED)["spec"]["rules"]
    return [int(ref["weight"]) for ref in rule["backendRefs"]]


def assert_share(answers: Counter[str], version: str, percent: int) -> None:
    """Within three standard deviations of what a toss for each request would give."""
    total, share = answers.total(), percent / 100
    seen, sigma = answers[version] / total, math.sqrt(share * (1 - share) / total)
    print(f"{percent} % asked for: {100 * seen:.2f} % of {total} requests, {abs(seen - share) / sigma:.2f} sigma off")
    assert abs(seen - share) <= 3 * sigma, answers
