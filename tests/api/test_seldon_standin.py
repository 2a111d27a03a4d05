"""The stand-in against a real API server and the real Deployment controller; the test plays the kubelet."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.localcluster.controlplane import ControlPlane
from tools.seldon_standin.install import Kubectl, find_seldon
from tools.seldon_standin.manifests import CRD_FILE, CRD_NAME, NAME, NAMESPACE, standin_manifests

pytestmark = pytest.mark.api
# Long enough that a test can look at it, however slow the machine.
LAG_SECONDS = 1.5
# The garbage collector hears of a new kind of object after 30 s.
PATIENCE_SECONDS = 60.0
REPOSITORY = Path(__file__).parents[2]


class StandIn:
    """The stand-in as a process of its own, with the rights of its service account."""

    def __init__(self, kubeconfig: Path, log: Path) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(REPOSITORY)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tools.seldon_standin.main", "--lag-seconds", str(LAG_SECONDS)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        assert self._process.wait(15) == 0, self._log.read_text()
        self._process = None


class World:
    """One namespace of a cluster."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self.kubectl = kubectl
        self.namespace = namespace

    def apply(self, manifest: dict[str, Any]) -> None:
        self.kubectl.run("apply", "--namespace", self.namespace, "--filename", "-", stdin=json.dumps(manifest))

    def delete(self, kind: str, name: str) -> None:
        self.kubectl.run("delete", kind, name, "--namespace", self.namespace, "--wait=false")

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        output = ("--ignore-not-found", "--output", "json")
        found = self.kubectl.run("get", kind, name, "--namespace", self.namespace, *output)
        return json.loads(found) if found.strip() else None

    def names(self, kind: str) -> set[str]:
        found = json.loads(self.kubectl.run("get", kind, "--namespace", self.namespace, "--output", "json"))
        return {item["metadata"]["name"] for item in found["items"]}

    def state(self, name: str = "churn") -> str | None:
        sdep = self.find("sdep", name)
        return None if sdep is None else sdep.get("status", {}).get("state")

    def serves(self, deployment: str, image: str) -> bool:
        found = self.find("deployment", deployment)
        if found is None or found["spec"]["template"]["spec"]["containers"][0]["image"] != image:
            return False
        status = found["status"]
        is_current = status.get("observedGeneration") == found["metadata"]["generation"]
        return is_current and status.get("replicas") == status.get("updatedReplicas") == status.get("availableReplicas")

    def selector(self, deployment: str) -> dict[str, str]:
        found = self.find("deployment", deployment)
        return found["spec"]["selector"]["matchLabels"] if found else {}

    def make_pods_ready(self, image: str) -> None:
        """What a kubelet would do with the pods of that image."""
        pods = json.loads(self.kubectl.run("get", "pods", "--namespace", self.namespace, "--output", "json"))["items"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ready = [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")]
        patch = json.dumps({"status": {"phase": "Running", "conditions": ready}})
        for pod in (pod for pod in pods if pod["spec"]["containers"][0]["image"] == image):
            name = pod["metadata"]["name"]
            self.kubectl.run("patch", "pod", name, "-n", self.namespace, "--subresource=status", "--patch", patch)


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane) -> Kubectl:
    kubectl = Kubectl(str(plane.kubectl), str(plane.kubeconfig))
    kubectl.run("apply", "--server-side", "--filename", str(CRD_FILE))
    kubectl.run("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD_NAME}")
    # No node runs it here; what its objects allow it is what the process below has.
    items = [manifest for manifest in standin_manifests("image:1") if manifest["kind"] != "Deployment"]
    everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    kubectl.run("apply", "--server-side", "--filename", "-", stdin=everything)
    return kubectl


@pytest.fixture(scope="module")
def standin(
    plane: ControlPlane,
    kubectl: Kubectl,  # noqa: ARG001 - its account has to be there first
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StandIn]:
    account = plane.kubeconfig_for_service_account(NAMESPACE, NAME)
    standin = StandIn(account, tmp_path_factory.mktemp("standin") / "log")
    standin.start()
    yield standin
    standin.stop()


@pytest.fixture
def world(
    kubectl: Kubectl,
    standin: StandIn,  # noqa: ARG001 - it has to run
    request: pytest.FixtureRequest,
) -> World:
    namespace = request.node.name.replace("_", "-")[:60].rstrip("-")
    kubectl.run("create", "namespace", namespace)
    return World(kubectl, namespace)


def make_predictor(name: str = "main", image: str = "server:1", **fields: object) -> dict[str, Any]:
    ports = [{"name": port, "containerPort": number} for port, number in (("http", 9000), ("grpc", 9500))]
    container = {"name": "model", "image": image, "ports": ports}
    return {
        "name": name,
        "replicas": 1,
        "annotations": {"seldon.io/no-engine": "true"},
        "graph": {"name": "model", "type": "MODEL"},
        "componentSpecs": [{"spec": {"containers": [container]}}],
        **fields,
    }


def make_sdep(*predictors: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "churn"},
        "spec": {"protocol": "v2", "predictors": list(predictors) or [make_predictor()]},
    }


def become_available(world: World, *predictors: dict[str, Any], image: str = "server:1") -> None:
    world.apply(make_sdep(*predictors))

    def is_available() -> bool:
        world.make_pods_ready(image)
        # The state alone may still be that of what was there before.
        return world.serves("churn-main-0-model", image) and world.state() == "Available"

    eventually(is_available, "Available")


def test_a_new_object_is_creating_until_its_pods_are_ready(world: World) -> None:
    world.apply(make_sdep())
    eventually(lambda: world.state() == "Creating", "Creating")
    assert world.names("deployments") == {"churn-main-0-model"}
    assert world.names("services") == {"churn-main", "churn-main-model"}
    become_available(world)
    status = (world.find("sdep", "churn") or {})["status"]
    assert status["address"]["url"].startswith(f"http://churn-main.{world.namespace}.svc.cluster.local:9000/v2/")
    assert status["deploymentStatus"] == {"churn-main-0-model": {"replicas": 1, "availableReplicas": 1}}
    assert "observedGeneration" not in status


def test_an_update_that_never_gets_ready_first_looks_available_then_creating_for_ever(world: World) -> None:
    become_available(world)
    world.apply(make_sdep(make_predictor(image="missing:1")))
    eventually(lambda: (world.find("deployment", "churn-main-0-model") or {})["metadata"]["generation"] == 2, "rolled")
    assert world.state() == "Available"
    eventually(lambda: world.state() == "Creating", "Creating")
    time.sleep(3)
    assert world.state() == "Creating"
    deployment = world.find("deployment", "churn-main-0-model") or {}
    assert deployment["status"]["availableReplicas"] == 1, "the old pod has to serve on"
    become_available(world, make_predictor(image="server:1"))


def test_a_removed_predictor_is_cleaned_up_once_the_other_is_ready(world: World) -> None:
    become_available(world, make_predictor(traffic=80), make_predictor("canary", traffic=20))
    assert world.names("deployments") == {"churn-main-0-model", "churn-canary-0-model"}
    world.apply(make_sdep(make_predictor(traffic=100)))
    eventually(lambda: world.names("deployments") == {"churn-main-0-model"}, "the canary's Deployment is gone")
    eventually(lambda: world.names("services") == {"churn-main", "churn-main-model"}, "its Services are gone")
    status = (world.find("sdep", "churn") or {})["status"]
    assert status["deploymentStatus"].keys() == {"churn-main-0-model"}


def test_a_changed_service_name_makes_the_deployment_anew(world: World) -> None:
    become_available(world)
    annotations = {"seldon.io/no-engine": "true", "seldon.io/svc-name": "fixed"}
    world.apply(make_sdep(make_predictor(annotations=annotations)))
    eventually(lambda: world.selector("churn-main-0-model").get("seldon-app") == "fixed", "made anew")
    become_available(world, make_predictor(annotations=annotations))
    eventually(lambda: world.names("services") == {"churn-main-model", "fixed"}, "the old Service is gone")


def test_what_admission_would_refuse_has_failed_until_it_is_repaired(world: World) -> None:
    world.apply(make_sdep(make_predictor(traffic=80), make_predictor("canary", traffic=10)))
    eventually(lambda: world.state() == "Failed", "Failed")
    assert "must sum to 100, found 90" in (world.find("sdep", "churn") or {})["status"]["description"]
    assert world.names("deployments") == set()
    become_available(world)


def test_what_the_api_server_refuses_has_failed_with_its_words(world: World) -> None:
    world.apply(make_sdep(make_predictor(image="")))
    eventually(lambda: world.state() == "Failed", "Failed")
    assert "image: Required value" in (world.find("sdep", "churn") or {})["status"]["description"]
    become_available(world)


def test_a_deployment_of_somebody_else_is_left_alone(world: World) -> None:
    labels = {"app": "other"}
    container = {"name": "other", "image": "other:1"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "churn-main-0-model"}, "spec": spec}
    world.apply(other)
    world.apply(make_sdep())
    eventually(lambda: world.state() == "Failed", "Failed")
    assert (world.find("deployment", "churn-main-0-model") or {})["spec"]["selector"] == spec["selector"]


def test_a_deleted_child_comes_back_and_a_changed_one_is_put_right(world: World) -> None:
    become_available(world)
    world.delete("service", "churn-main")
    eventually(lambda: "churn-main" in world.names("services"), "the Service is back")
    patch = json.dumps({"spec": {"replicas": 3}})
    world.kubectl.run("patch", "deployment", "churn-main-0-model", "-n", world.namespace, "--patch", patch)
    eventually(lambda: (world.find("deployment", "churn-main-0-model") or {})["spec"]["replicas"] == 1, "put right")


def test_what_happened_while_it_was_away_is_done_after_a_restart(world: World, standin: StandIn) -> None:
    become_available(world)
    standin.stop()
    world.apply(make_sdep(make_predictor(image="server:2")))
    standin.start()
    become_available(world, make_predictor(image="server:2"), image="server:2")


def test_nothing_is_written_once_it_is_available(world: World, plane: ControlPlane) -> None:
    become_available(world)
    time.sleep(LAG_SECONDS + 1)
    before = plane.audit_log.stat().st_size
    time.sleep(4)
    with plane.audit_log.open("rb") as log:
        log.seek(before)
        entries = [json.loads(line) for line in log]
    account = f"system:serviceaccount:{NAMESPACE}:{NAME}"
    writes = [
        e["verb"] for e in entries if e["user"]["username"] == account and e["verb"] not in ("get", "list", "watch")
    ]
    assert writes == []


def test_what_it_made_goes_with_the_object(world: World) -> None:
    become_available(world)
    world.delete("sdep", "churn")
    eventually(lambda: not world.names("deployments") | world.names("services") | world.names("pods"), "all gone")


def test_its_own_pod_satisfies_the_restricted_level(kubectl: Kubectl) -> None:
    (deployment,) = (m for m in standin_manifests("image:1") if m["kind"] == "Deployment")
    template = deployment["spec"]["template"]
    metadata = {**template["metadata"], "name": "try", "namespace": NAMESPACE}
    pod = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    assert "created" in kubectl.run("create", "--dry-run=server", "--filename", "-", stdin=pod)


def test_a_real_seldon_is_recognised_by_its_manager_or_by_its_definition(kubectl: Kubectl) -> None:
    assert find_seldon(kubectl) is None
    kubectl.run("label", "crd", CRD_NAME, "modelyard.io/stand-in-")
    assert find_seldon(kubectl) == f"the definition {CRD_NAME}"
    kubectl.run("label", "crd", CRD_NAME, "modelyard.io/stand-in=seldon")
    kubectl.run("create", "deployment", "seldon-controller-manager", "--image=seldon:1", "--namespace=default")
    kubectl.run("label", "deployment", "seldon-controller-manager", "control-plane=seldon-controller-manager")
    assert find_seldon(kubectl) == "the Deployment default/seldon-controller-manager"
    kubectl.run("delete", "deployment", "seldon-controller-manager")
