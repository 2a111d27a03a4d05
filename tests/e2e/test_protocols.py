"""The same model by both protocols, on real servers: the same predictions, and the same way of taking versions up."""

import json
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from modelyard.adapters.traffic.counters import parse
from support.yard import EXAMPLES, Yard
from tools.demo import story
from tools.demo.digits import load
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import KubectlError

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

BY_SELDON, PLAIN = "digits-for-seldon-clients", "digits-plain-for-seldon-clients"
CANARY = {
    "apiVersion": "modelyard.io/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": PLAIN},
    "spec": {
        "model": {"name": "digits", "alias": "champion"},
        "backend": "Deployment",
        "server": {"protocol": "seldon", "resources": {"requests": {"cpu": "100m", "memory": "384Mi"}}},
        "rollout": {"strategy": "Canary", "steps": [{"setWeight": 50}, {"pause": {"seconds": 3}}]},
    },
}
DIGITS = {"data": {"ndarray": [digit.pixels for digit in load()]}}


def ask(yard: Yard, deployment: str, message: Any) -> dict[str, Any]:
    """The answer to a message of Seldon's, at the address in status."""
    path = story.proxy_path(yard.get("modeldeployment", deployment)["status"]["url"])
    text = yard.site.kubectl.run("create", "--raw", path, "--filename", "-", stdin=json.dumps(message))
    answer: dict[str, Any] = json.loads(text)
    return answer


def predictions_of_both_are_the_same(yard: Yard, version: str) -> None:
    usual = yard.predict("digits")
    assert usual.version == version
    for deployment in (BY_SELDON, PLAIN):
        answer = ask(yard, deployment, DIGITS)
        assert tuple(answer["data"]["ndarray"]) == usual.predictions
        assert answer["meta"]["tags"]["model_version"] == version


def pods_of(yard: Yard, deployment: str) -> list[dict[str, Any]]:
    return yard.items("pods", yard.get("modeldeployment", deployment)["status"]["selector"])


def hears_of_the_end(yard: Yard, deployment: str, path: str) -> bool:
    """Whether a client with a kept connection to the one pod is told to end it, before the deleted pod closes it."""
    (pod,) = pods_of(yard, deployment)
    with closing(HTTPConnection(pod["status"]["podIP"], 9000, timeout=5)) as kept:
        for number in range(300):
            kept.request("GET", path)
            response = kept.getresponse()
            response.read()
            assert response.status == 200
            if response.getheader("connection") == "close":
                return number > 0
            if number == 0:
                yard.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
            time.sleep(0.1)
    return False


def test_both_protocols_answer_the_same_predictions_for_the_same_model(yard: Yard) -> None:
    subprocess.run([sys.executable, "-m", "tools.images", "load", "model-server-seldon"], cwd=CHECKOUT, check=True)
    for example in ("02-digits-seldon/1-train-and-serve.yaml", "16-seldon-protocol.yaml"):
        yard.apply(EXAMPLES / example)
    yard.apply(CANARY)
    for deployment in ("digits", BY_SELDON, PLAIN):
        first = yard.serves(deployment, "digits-logistic")
    predictions_of_both_are_the_same(yard, first)

    # A client's mistake is told as one, and all that is asked is counted where an analysis looks.
    with pytest.raises(KubectlError, match="BadRequest"):
        ask(yard, BY_SELDON, {"data": {"ndarray": [["no digit"]]}})
    (pod,) = [item["metadata"]["name"] for item in pods_of(yard, BY_SELDON)]
    metrics = f"/api/v1/namespaces/{yard.namespace}/pods/{pod}:6000/proxy/prometheus"
    counts = parse(yard.site.kubectl.run("get", "--raw", metrics))
    assert (counts.requests, counts.errors) == (2, 1)
    assert counts.buckets[float("inf")] == 2

    yard.apply(EXAMPLES / "02-digits-seldon" / "2-next-version.yaml")
    for deployment in ("digits", BY_SELDON, PLAIN):
        second = yard.serves(deployment, "digits-svm")
    assert second != first
    predictions_of_both_are_the_same(yard, second)

    for deployment, path in (("digits", "/v2/health/live"), (BY_SELDON, "/health/ping")):
        yard.until(lambda name=deployment: len(pods_of(yard, name)) == 1, "the old version's pod is gone", 60)
        assert hears_of_the_end(yard, deployment, path)
