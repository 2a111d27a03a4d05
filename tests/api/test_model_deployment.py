"""A ModelDeployment of the plain backend: what serves, how it switches, and what it says meanwhile."""

import json

import pytest

from support.kube import MERGE, Refused, path_of
from support.serving import Serving
from support.world import World, condition

pytestmark = pytest.mark.api

NOT_WHOLE = json.dumps({"reason": "ModelIncomplete", "message": "model.pkl is missing: log the model again"})


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


def follow(world: World, model: str, **spec: object) -> Serving:
    """A ModelDeployment that follows the champion."""
    return Serving(world, model={"name": model, "alias": "champion"}, **spec)


def switch(world: World, model: str) -> str:
    """The champion becomes a new version."""
    version = world.tracking.make_version(model)
    world.tracking.point(model, "champion", version)
    return version


def test_the_version_that_an_alias_points_at_is_served(world: World, model: str) -> None:
    serving = follow(world, model)
    world.until(lambda: serving.condition("ModelResolved").get("status") == "True", "resolved")
    assert serving.condition("Reconciling")["status"] == "True"
    serving.come_up("1")
    status = serving.status
    assert (status["desiredVersion"], status["stable"]["version"]) == ("1", "1")
    assert (status["replicas"], status["availableReplicas"]) == (1, 1)
    assert status["url"].endswith(f"/{world.namespace}/digits/v2/models/model/infer")
    assert status["backendRef"]["kind"] == "Deployment"
    told = {item["type"] for item in status["conditions"]}
    assert told == {"Ready", "Progressing", "ModelResolved", "Compatible", "Degraded"}
    (row,) = world.table("modeldeployments")
    shown = {name: row[name] for name in ("Ready", "Reason", "Model", "Stable", "Desired", "Backend")}
    assert shown == {
        "Ready": "True",
        "Reason": "Serving",
        "Model": model,
        "Stable": "1",
        "Desired": "1",
        "Backend": "Deployment",
    }
    assert [event["reason"] for event in world.events_about(serving.live)] == ["Serving"]


def test_only_the_init_container_could_reach_the_registry(world: World, model: str) -> None:
    pod = follow(world, model).pod("1")
    (fetcher,), (server,) = pod["spec"]["initContainers"], pod["spec"]["containers"]
    assert any(item["name"] == "MLFLOW_TRACKING_URI" for item in fetcher["env"])
    assert not [item["name"] for item in server["env"] if item["name"].startswith("MLFLOW_")]
    versions = [item["value"] for item in server["env"] if item["name"] == "MLSERVER_MODEL_VERSION"]
    assert versions == ["1"]


def test_the_old_version_serves_until_the_new_one_answers(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    switch(world, model)
    serving.pod("2")
    said = serving.until_ready_says("True", "Progressing")
    assert "version 1 serves" in said["message"]
    assert serving.pods("1"), "the old pod stays while the new one is not ready"
    assert serving.stable_version == "1"
    world.until(lambda: serving.make_ready("2") or not serving.pods("1"), "the new pod took over")
    assert serving.stable_version == "1", "pods alone are no answer: the server must say that it serves version 2"
    serving.come_up("2")
    notes = [event["note"] for event in world.events_about(serving.live) if event["reason"] == "Serving"]
    assert notes == ["version 1 serves", "version 2 serves, after version 1"]


def test_a_version_that_is_not_whole_is_refused_and_the_old_one_serves_on(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    switch(world, model)
    world.kubelet.fail_init(serving.pod("2"), NOT_WHOLE)
    said = serving.until_ready_says("True", "RolledBack")
    assert "model.pkl is missing" in said["message"]
    assert serving.condition("Degraded")["reason"] == "ModelIncomplete"
    assert serving.condition("Stalled")["reason"] == "ModelIncomplete"
    assert not serving.condition("Reconciling")
    assert (bool(serving.pods("1")), serving.pods("2")) == (True, [])
    assert [(item["version"], item["outcome"]) for item in serving.status["history"]][-1] == ("2", "RolledBack")
    world.tracking.point(model, "champion", "1")
    world.until(lambda: serving.serves("1") and serving.condition("Degraded")["status"] != "True", "back to 1")


def test_a_first_version_that_is_not_whole_is_not_ready(world: World, model: str) -> None:
    serving = follow(world, model)
    world.kubelet.fail_init(serving.pod("1"), NOT_WHOLE)
    serving.until_ready_says("False", "ModelIncomplete")
    assert serving.condition("Stalled")["status"] == "True"


def test_an_image_that_cannot_be_pulled_is_told_and_may_come_later(world: World, model: str) -> None:
    serving = follow(world, model)
    world.kubelet.miss_image(serving.pod("1"))
    serving.until_ready_says("False", "ImagePullFailed")
    assert serving.condition("Reconciling")["status"] == "True"
    serving.come_up("1")


def test_a_version_that_takes_too_long_is_told_after_the_deadline(world: World, model: str) -> None:
    serving = follow(world, model, progressDeadlineSeconds=10)
    world.kubelet.miss_image(serving.pod("1"))
    said = serving.until_ready_says("False", "ProgressDeadlineExceeded")
    assert "ImagePullFailed" in said["message"]
    assert serving.condition("Stalled")["status"] == "True"
    serving.come_up("1")


def test_paused_it_takes_no_new_version_until_it_goes_on(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    world.patch("ModelDeployment", "digits", paused=True)
    switch(world, model)
    said = serving.until_ready_says("True", "Paused")
    assert "version 2 waits" in said["message"]
    assert serving.status["desiredVersion"] == "2"
    assert serving.pods("2") == []
    world.patch("ModelDeployment", "digits", paused=False)
    serving.come_up("2")


def test_a_pinned_version_does_not_follow_the_alias(world: World, model: str) -> None:
    serving = Serving(world, model={"name": model, "version": "1"})
    serving.come_up("1")
    switch(world, model)
    world.at_no_time(lambda: serving.pods("2") or not serving.serves("1"), "it moved", 4)
    world.patch("ModelDeployment", "digits", model={"version": "2"})
    serving.come_up("2")


def test_a_version_that_does_not_exist_yet_is_waited_for(world: World, model: str) -> None:
    serving = Serving(world, model={"name": model, "version": "2"})
    serving.until_ready_says("False", "AwaitingVersion")
    world.tracking.make_version(model)
    serving.come_up("2")


def test_an_alias_that_does_not_exist_yet_is_waited_for(world: World) -> None:
    name = f"{world.namespace}.later"
    serving = Serving(world, model={"name": name, "alias": "champion"})
    said = serving.until_ready_says("False", "AwaitingVersion")
    assert name in said["message"]
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    serving.come_up("1")


def test_without_its_alias_it_serves_on(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    world.tracking.client.delete_registered_model_alias(model, "champion")
    serving.until_ready_says("True", "AliasNotFound")
    assert serving.condition("ModelResolved")["status"] == "False"
    assert serving.pods("1")
    world.tracking.point(model, "champion", "1")
    serving.until_ready_says("True", "Serving")


def test_kubectl_scale_works(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    path = path_of("ModelDeployment", world.namespace, "digits", "scale")
    scale = world.kube.send("PATCH", path, {"spec": {"replicas": 2}}, content_type=MERGE)
    assert scale["status"]["selector"] == serving.status["selector"]
    world.until(lambda: len(serving.pods("1")) == 2, "two pods")
    serving.come_up("1")
    world.until(lambda: serving.status["availableReplicas"] == 2, "both are counted")
    world.kube.send("PATCH", path, {"spec": {"replicas": 0}}, content_type=MERGE)
    serving.until_ready_says("False", "ScaledToZero")
    assert not serving.condition("Reconciling")
    assert not serving.condition("Stalled")


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_an_object_of_somebody_else_is_left_as_it_is(world: World, model: str, kind: str) -> None:
    theirs = world.create(THEIRS[kind])
    serving = follow(world, model)
    said = serving.until_ready_says("False", "Conflict")
    assert f"{kind} digits" in said["message"]
    assert serving.condition("Stalled")["status"] == "True"
    now = world.get(kind, "digits") or {}
    assert now["spec"] == theirs["spec"]
    assert not [item for item in now["metadata"]["managedFields"] if item["manager"] == "modelyard"]
    world.delete(kind, "digits")
    serving.come_up("1")


LABELS = {"app": "theirs"}
THEIRS = {
    "Deployment": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "digits"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "x", "image": "x"}]}},
        },
    },
    "Service": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "digits"},
        "spec": {"ports": [{"name": "theirs", "port": 1234}]},
    },
}


def test_what_somebody_changes_is_put_right_and_what_is_deleted_comes_back(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    world.patch("Deployment", "digits", replicas=3)
    world.until(lambda: (world.get("Deployment", "digits") or {})["spec"]["replicas"] == 1, "put right")
    world.delete("Service", "digits")
    world.until(lambda: world.get("Service", "digits"), "the Service is back")


def test_one_pod_that_fails_while_others_serve_is_told_without_saying_not_ready(world: World, model: str) -> None:
    serving = follow(world, model, replicas=2)
    world.until(lambda: len(serving.pods("1")) == 2, "two pods")
    serving.come_up("1")
    world.delete("Pod", serving.pods("1")[0]["metadata"]["name"])
    world.until(lambda: "1 of 2 pods" in serving.condition("Ready").get("message", ""), "counted")
    assert serving.condition("Ready")["status"] == "True"
    serving.come_up("1")


def test_deleting_it_takes_everything_with_it(world: World, model: str) -> None:
    serving = follow(world, model)
    serving.come_up("1")
    world.delete("ModelDeployment", "digits")
    kinds = ("Deployment", "Service", "Pod")
    world.until(lambda: not any(world.items(kind) for kind in kinds), "nothing is left")
    assert world.tracking.versions_of(model), "versions stay"


def test_the_backend_in_use_cannot_be_changed_by_leaving_it_out(world: World, model: str) -> None:
    follow(world, model).come_up("1")
    with pytest.raises(Refused, match=r"spec\.backend cannot change"):
        world.patch("ModelDeployment", "digits", backend=None)
    assert condition(world.get("ModelDeployment", "digits"), "Ready")["status"] == "True"
