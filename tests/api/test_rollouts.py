"""Canaries, the same with either backend: traffic by steps, and what ends them."""

import json
from collections.abc import Iterator

import pytest

from support.kube import Kube
from support.seldon import SeldonStandIn
from support.serving import Serving
from support.waiting import eventually
from support.world import World
from tools.localcluster.controlplane import ControlPlane
from tools.seldon_standin.manifests import CRD_NAME

pytestmark = pytest.mark.api

BACKENDS = ("SeldonDeployment", "Deployment")
NOT_WHOLE = json.dumps({"reason": "ModelIncomplete", "message": "model.pkl is missing: log the model again"})
STEPS = [{"setWeight": 25}, {"pause": {"seconds": 1}}, {"setWeight": 50}, {"pause": {}}]


@pytest.fixture(scope="module", autouse=True)
def seldon(
    control_plane: ControlPlane, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeldonStandIn]:
    """Seldon's stand-in, from the start: operators of this module find its kind at once."""
    seldon = SeldonStandIn(control_plane, kube, tmp_path_factory.mktemp("seldon"))
    seldon.install()
    yield seldon
    seldon.remove()
    is_gone = lambda: kube.get("CustomResourceDefinition", "", CRD_NAME) is None  # noqa: E731
    eventually(is_gone, "the CRD is gone", str)


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


@pytest.fixture(params=BACKENDS)
def serving(world: World, model: str, request: pytest.FixtureRequest) -> Serving:
    """A ModelDeployment that serves version 1 in two pods and takes up others by a canary."""
    rollout = {"strategy": "Canary", "steps": STEPS}
    spec = {"backend": request.param, "replicas": 2, "rollout": rollout}
    made = Serving(world, model={"name": model, "alias": "champion"}, **spec)
    world.until(lambda: made.pods("1"), "pods of version 1", 60)
    made.take_up("1")
    return made


def switch(world: World, model: str) -> str:
    """The champion becomes a new version."""
    version = world.tracking.make_version(model)
    world.tracking.point(model, "champion", version)
    return version


def shares(serving: Serving) -> dict[str, int | None]:
    """What the SeldonDeployment says of the traffic, by predictor; with the plain backend nothing does."""
    found = serving.world.get("SeldonDeployment", serving.name)
    return {item["name"]: item.get("traffic") for item in found["spec"]["predictors"]} if found else {}


def is_split(serving: Serving) -> bool:
    """Whether the Service that clients call selects the canary's pods too."""
    service = serving.world.get("Service", serving.name) or {}
    return "modelyard.io/predictor" not in service["spec"]["selector"]


def test_a_canary_gets_traffic_by_steps_and_is_taken_up(world: World, model: str, serving: Serving) -> None:
    switch(world, model)
    world.until(lambda: serving.pods_of("canary"), "a canary's pod")
    assert (serving.canary["weight"], is_split(serving)) == (0, False)
    assert shares(serving) in ({"main": 100, "canary": None}, {})
    serving.bring_the_canary_up("2", weight=50)
    assert is_split(serving)
    assert shares(serving) in ({"main": 50, "canary": 50}, {})
    said = serving.until_ready_says("True", "AwaitingResume")
    assert "modelyard.io/resume=2" in said["message"]
    assert (serving.stable_version, serving.status["stable"]["weight"]) == ("1", 50)
    assert len(serving.pods("1")) == 2
    row = world.table("modeldeployments")[0]
    assert (row["Stable"], row["Canary"], row["Weight"], row["Desired"]) == ("1", "2", 50, "2")

    serving.annotate("resume", "2")
    world.until(lambda: serving.canary.get("phase") == "Promoting", "the stable pods become version 2")
    assert is_split(serving)
    serving.take_up("2")
    world.until(lambda: not serving.pods_of("canary"), "the canary's pods are gone", 60)
    assert (is_split(serving), shares(serving)) in ((False, {"main": None}), (False, {}))
    assert [(item["version"], item["outcome"]) for item in serving.status["history"]] == [
        ("1", "Promoted"),
        ("2", "Promoted"),
    ]


def test_an_aborted_canary_goes_and_is_not_tried_again_until_someone_says_so(
    world: World, model: str, serving: Serving
) -> None:
    switch(world, model)
    serving.bring_the_canary_up("2", weight=50)
    serving.annotate("abort", "2")
    said = serving.until_ready_says("True", "RolledBack")
    assert "modelyard.io/retry=2" in said["message"]
    assert serving.condition("Stalled")["status"] == "True"
    assert not serving.pods_of("canary")
    assert (is_split(serving), len(serving.pods("1"))) == (False, 2)
    (refused,) = serving.status["refusedVersions"]
    assert (refused["version"], refused["reason"]) == ("2", "Aborted")
    world.tracking.point(model, "champion", "1")
    serving.until_ready_says("True", "Serving")
    world.tracking.point(model, "champion", "2")
    serving.until_ready_says("True", "RolledBack")

    serving.annotate("abort", None)
    serving.annotate("retry", "2")
    serving.bring_the_canary_up("2", weight=50)


def test_a_version_that_is_not_whole_never_gets_traffic_and_is_refused(
    world: World, model: str, serving: Serving
) -> None:
    switch(world, model)
    (pod,) = world.until(lambda: serving.pods_of("canary"), "a canary's pod")
    world.kubelet.fail_init(pod, NOT_WHOLE)
    said = serving.until_ready_says("True", "RolledBack")
    assert "model.pkl is missing" in said["message"]
    assert serving.condition("Degraded")["reason"] == "ModelIncomplete"
    assert (is_split(serving), serving.canary) == (False, {})
    switch(world, model)
    serving.bring_the_canary_up("3", weight=50)


def test_a_new_version_begins_anew_when_the_alias_moves_meanwhile(world: World, model: str, serving: Serving) -> None:
    switch(world, model)
    serving.bring_the_canary_up("2", weight=50)
    switch(world, model)
    world.until(lambda: serving.canary.get("version") == "3", "a canary of version 3", 60)
    assert serving.canary["weight"] == 0
    assert not serving.pods("2")
    serving.bring_the_canary_up("3", weight=50)
    assert [item["outcome"] for item in serving.status["history"]] == ["Promoted", "Superseded"]


def test_a_canary_that_loses_its_pods_loses_its_traffic(world: World, model: str, serving: Serving) -> None:
    switch(world, model)
    serving.bring_the_canary_up("2", weight=50)
    for pod in serving.pods_of("canary"):
        world.delete("Pod", pod["metadata"]["name"])
    world.until(lambda: serving.canary["weight"] == 0 and not is_split(serving), "no traffic for lost pods")
    serving.bring_the_canary_up("2", weight=50)
