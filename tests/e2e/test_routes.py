"""Requests through a real gateway: Traefik, as `python3 -m tools.gateway install` puts it onto a cluster."""

import json

import pytest

from support.gateway_traffic import Client, Steady
from support.yard import EXAMPLES, Yard
from tools.demo.place import Site
from tools.gateway import install
from tools.gateway.manifests import NAME, NAMESPACE, PORT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

FEW = 20
PATH = "/ml/digits/v2/models/model/infer"


@pytest.fixture(scope="session")
def gateway(site: Site) -> str:
    """The address of the gateway, as this machine reaches it."""
    install.install(site.kubectl, site.images["traefik"])
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
    assert steady.failures == []
    assert min(steady.answers[first], steady.answers[second]) > FEW

    yard.kubectl("delete", "modeldeployment", "digits-routed", "--timeout=60s")
    yard.until(lambda: not yard.items("httproutes.gateway.networking.k8s.io"), "the route goes with its owner")
