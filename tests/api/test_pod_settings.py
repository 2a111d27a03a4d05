"""What the administrator decides about pods reaches every pod, and what they forbid becomes a condition."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.kube import Manifest
from support.operator_process import OperatorProcess, running
from support.serving import Serving
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

OURS: dict[str, Any] = {
    "nodeSelector": {"pool": "ours"},
    "tolerations": [{"key": "ours", "operator": "Exists"}],
    "serviceAccountName": "ours",
    "serviceAccounts": ["theirs"],
    "priorityClassName": "ours",
    "runtimeClassName": "ours",
    "maxResources": {"cpu": 2, "memory": "4Gi"},
}
THEIRS: dict[str, Any] = {
    "spec": {
        "nodeSelector": {"pool": "theirs", "disk": "ssd"},
        "tolerations": [{"key": "theirs", "operator": "Exists"}],
        "serviceAccountName": "theirs",
        "priorityClassName": "theirs",
        "runtimeClassName": "theirs",
        "containers": [{"name": "side", "image": "side:1"}],
    }
}


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """An operator whose administrator has decided everything."""
    text = json.dumps(OURS)
    ours = dict(settings) | {"TRAINING_PODS": text, "SERVING_PODS": text}
    folder = tmp_path_factory.mktemp("operator")
    with running([OperatorProcess(account, folder, "operator", ours)]) as processes:
        yield processes


@pytest.fixture
def classes(world: World) -> Iterator[None]:
    """The classes and the account that the administrator names; without them no pod is made."""
    made: list[Manifest] = [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "ours"}, "value": 7},
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "ours"}, "handler": "runc"},
    ]
    for manifest in made:
        world.kube.apply(manifest)
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ours"}})
    yield
    for manifest in made:
        world.kube.delete(manifest["kind"], "", manifest["metadata"]["name"])


def check(pod: Manifest) -> None:
    spec = pod["spec"]
    assert spec["nodeSelector"] == {"pool": "ours", "disk": "ssd"}
    assert {"ours", "theirs"} <= {item["key"] for item in spec["tolerations"]}
    named = [spec[field] for field in ("serviceAccountName", "priorityClassName", "runtimeClassName")]
    assert named == ["ours"] * 3
    assert spec["priority"] == 7
    assert spec["automountServiceAccountToken"] is False
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        assert container["resources"]["limits"]["cpu"] in {"1", "2"}
        assert "memory" in container["resources"]["limits"]


@pytest.mark.usefixtures("classes")
def test_the_administrators_settings_are_in_a_trainings_pod_whatever_its_template(world: World) -> None:
    training = Training(world, podTemplate=THEIRS)
    check(training.pod())
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.state == "Succeeded"


@pytest.mark.usefixtures("classes")
def test_the_administrators_settings_are_in_a_servers_pod_and_nothing_is_written_twice(world: World) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    serving = Serving(world, model={"name": name, "alias": "champion"}, podTemplate=THEIRS)
    check(serving.pod("1"))
    serving.come_up("1")
    world.until(lambda: serving.serves("1"), "it serves")
    assert world.items("Deployment")[0]["metadata"]["generation"] == 1


TOO_MUCH: dict[str, dict[str, Any]] = {
    "spec.trainer.resources.limits.memory: 5Gi is above the administrator's limit of 4Gi": {
        "trainer": {"command": ["python"], "resources": {"limits": {"memory": "5Gi"}}}
    },
    "spec.podTemplate.spec.containers[side].resources.limits.cpu: 3 is above the administrator's limit of 2": {
        "podTemplate": {"spec": {"containers": [{"name": "side", "image": "x", "resources": {"limits": {"cpu": "3"}}}]}}
    },
    "spec.podTemplate.spec.serviceAccountName: strong is not one of the service accounts": {
        "podTemplate": {"spec": {"serviceAccountName": "strong"}}
    },
}


@pytest.mark.parametrize("told", TOO_MUCH)
def test_a_training_that_asks_for_more_is_invalid_within_10_seconds(world: World, told: str) -> None:
    training = Training(world, **TOO_MUCH[told])
    assert told in training.until_invalid()
    assert training.jobs() == []


@pytest.mark.usefixtures("classes")
def test_a_server_that_asks_for_more_is_invalid_and_can_be_corrected(world: World) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    asked = {"resources": {"requests": {"memory": "5Gi"}}}
    serving = Serving(world, model={"name": name, "alias": "champion"}, server=asked)
    said = serving.until_ready_says("False", "InvalidSpec", 10)
    assert "spec.server.resources.requests.memory: 5Gi is above the administrator's limit of 4Gi" in said["message"]
    world.patch("ModelDeployment", "digits", server={"resources": {"requests": {"memory": "1Gi"}}})
    serving.come_up("1")
