"""Load decides how many pods serve: the cluster's own autoscaler, metrics-server, and pods that really work."""

import json
import time
from collections.abc import Iterator

import pytest

from support.gateway_traffic import Steady
from support.yard import EXAMPLES, MLFLOW, Yard
from tools.demo.digits import load, request_for
from tools.demo.place import Site
from tools.demo.trickle import Client
from tools.metrics import install as metrics

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAME, PATH = "digits-scaled", "/v2/models/model/infer"
UNDISTURBED_SECONDS = 20
FEW = 20
MANIFEST = {
    "apiVersion": "modelyard.io/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": NAME},
    "spec": {
        "model": {"name": "digits", "alias": "champion"},
        "backend": "Deployment",
        # So little that a few requests are much, and a node of two cores has room for two pods and their successors.
        "server": {"resources": {"requests": {"cpu": "50m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}}},
        "autoscaling": {"minReplicas": 1, "maxReplicas": 2, "targetCPUUtilizationPercentage": 80},
    },
}


REGISTER_AGAIN = """
import mlflow
client = mlflow.MlflowClient("http://localhost:5000")
first = client.get_model_version_by_alias("digits", "champion")
model = first.source.removeprefix("models:/")
version = client.create_model_version("digits", first.source, first.run_id, model_id=model).version
client.set_registered_model_alias("digits", "champion", version)
print(version)
"""


@pytest.fixture
def measured(site: Site) -> Iterator[None]:
    """A cluster that tells what its pods use."""
    metrics.install(site.kubectl)
    yield
    metrics.uninstall(site.kubectl)


@pytest.mark.usefixtures("measured")
def test_load_brings_a_second_pod_and_a_new_version_keeps_both(yard: Yard) -> None:
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.kubectl("delete", "modeldeployment", "digits")  # one ModelDeployment is enough for the machine
    yard.apply(MANIFEST)
    first = yard.serves(NAME, "digits-logistic")
    assert replicas(yard) == (1, 1)
    address = yard.get("service", NAME)["spec"]["clusterIP"]

    body = json.dumps(request_for(load()[:1])).encode()
    with Steady(Fresh(f"http://{address}:9000{PATH}", body), pause_seconds=0.01) as steady:
        began = time.monotonic()
        yard.until(lambda: replicas(yard) == (2, 2), "the load brings a second pod", 150)
        print(f"a second pod after {time.monotonic() - began:.0f} s of load")
        yard.wait("modeldeployment", NAME, "Autoscaled", 30)
        assert_undisturbed(yard)

        second = yard.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", REGISTER_AGAIN).strip()
        yard.until(lambda: versions(yard) == [second, second], "both pods have the new version", 180)
        yard.until(lambda: steady.answers[second] > FEW, "the new version answers", 30)
        assert replicas(yard) == (2, 2)
    print(f"in all: {dict(steady.answers)}, {len(steady.failures)} failed")
    assert steady.failures == []
    assert steady.answers[first] > FEW


class Fresh(Client):
    """Each request over a new connection: all pods get their part of the load."""

    def ask(self) -> str:
        try:
            return super().ask()
        finally:
            self.hang_up()


def replicas(yard: Yard) -> tuple[int, int]:
    """How many are asked for, and how many pods the Deployment has ready."""
    asked = yard.get("modeldeployment", NAME)["spec"]["replicas"]
    return int(asked), int(yard.get("deployment", NAME)["status"].get("readyReplicas", 0))


def versions(yard: Yard) -> list[str]:
    """The versions of the pods that are there."""
    selector = f"modelyard.io/owner-kind=ModelDeployment,modelyard.io/owner-name={NAME}"
    return [pod["metadata"]["labels"]["modelyard.io/model-version"] for pod in yard.items("pods", selector)]


def assert_undisturbed(yard: Yard) -> None:
    """Nobody undoes the autoscaler's decision: neither spec changes for a while."""
    generations = {(kind, generation(yard, kind)) for kind in ("modeldeployment", "deployment")}
    until = time.monotonic() + UNDISTURBED_SECONDS
    while time.monotonic() < until:
        assert {(kind, generation(yard, kind)) for kind in ("modeldeployment", "deployment")} == generations
        assert replicas(yard)[0] == 2
        time.sleep(2)


def generation(yard: Yard, kind: str) -> int:
    return int(json.loads(yard.kubectl("get", kind, NAME, "--output", "jsonpath={.metadata.generation}")))
