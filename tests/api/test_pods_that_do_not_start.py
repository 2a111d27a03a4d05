"""Pods that do not start, or only in part, are told of within ten seconds by the field that they were made of."""

from typing import Any

import pytest

from support.kube import Manifest
from support.manifests import warning
from support.serving import Serving
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

VOLCANO = {"spec": {"schedulerName": "volcano"}}
SILENT = "spec.podTemplate.spec.schedulerName: no scheduler called volcano has taken up the pod: correct the name"


def until_told(thing: Training | Serving, condition: str, said: str, seconds: float = 10) -> None:
    thing.world.until(lambda: said in thing.condition(condition).get("message", ""), f"{said} is told", seconds)


def served(world: World, **spec: Any) -> Serving:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return Serving(world, model={"name": name, "alias": "champion"}, **spec)


def tell(world: World, pod: Manifest, item: Manifest) -> None:
    """What the kubelet says of one more container."""
    live = world.get("Pod", pod["metadata"]["name"]) or {}
    others = [known for known in live["status"]["containerStatuses"] if known["name"] != item["name"]]
    items = [*others, item | {"imageID": "", "ready": False, "restartCount": 0}]
    change = {"status": {"containerStatuses": items}}
    world.kube.patch("Pod", world.namespace, pod["metadata"]["name"], change, "status")


def test_a_scheduler_that_nobody_runs_is_named_and_once_it_does_the_training_goes_on(world: World) -> None:
    training = Training(world, podTemplate=VOLCANO)
    until_told(training, "Complete", SILENT)
    assert training.status["problem"] == "Unschedulable"
    world.kubelet.succeed(training.start())
    training.until_over()
    assert "problem" not in training.status


def test_a_scheduler_that_nobody_runs_is_named_for_a_server_and_once_it_is_corrected_it_serves(world: World) -> None:
    serving = served(world, podTemplate=VOLCANO)
    until_told(serving, "Ready", SILENT)
    world.patch("ModelDeployment", "digits", podTemplate=None)
    serving.come_up("1")


def test_a_sidecar_without_image_is_named_while_the_training_runs(world: World) -> None:
    training = Training(world, podTemplate={"spec": {"containers": [{"name": "side", "image": "none:1"}]}})
    pod = training.start()
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}
    tell(world, pod, {"name": "side", "image": "none:1", "state": waiting})
    said = "spec.podTemplate.spec.containers[side].image: image none:1 cannot be pulled"
    until_told(training, "Complete", said)
    assert (training.state, training.status["problem"]) == ("Running", "ImagePullFailed")
    tell(world, pod, {"name": "side", "image": "none:1", "state": {"running": {}}})
    world.until(lambda: "problem" not in training.status, "all is well again")
    world.kubelet.succeed(pod)
    training.until_over()


def test_a_servers_volume_that_is_not_there_is_told_from_the_events_of_its_pod(world: World) -> None:
    volumes = [{"name": "certs", "secret": {"secretName": "certs"}}]
    serving = served(world, podTemplate={"spec": {"volumes": volumes}})
    pod = serving.pod("1")
    world.kubelet.bind(pod)
    note = 'MountVolume.SetUp failed for volume "certs" : secret "certs" not found'
    world.create(warning(pod | {"kind": "Pod"}, "FailedMount", note))
    until_told(serving, "Ready", "spec.podTemplate.spec.volumes[certs].secret.secretName: there is no Secret certs")
    assert serving.condition("Degraded")["reason"] == "ConfigError"
    serving.come_up("1")
    world.until(lambda: serving.condition("Degraded")["status"] == "False", "all is well again")


def test_a_claim_without_a_volume_is_named_with_what_is_said_of_it(world: World) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    training = Training(world, podTemplate={"spec": {"volumes": volumes}})
    request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    spec = request | {"storageClassName": "none"}
    world.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec})
    world.kubelet.refuse(
        training.pod(), "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not eligible."
    )
    field = "spec.podTemplate.spec.volumes[data].persistentVolumeClaim.claimName"
    note = 'storageclass.storage.k8s.io "none" not found'
    until_told(training, "Complete", f"{field}: PersistentVolumeClaim data is not bound: {note}: name a StorageClass")
