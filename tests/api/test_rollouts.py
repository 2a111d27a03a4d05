"""Rollouts, the same with either backend: canaries, rolling updates, and what ends them."""

import json

import pytest

from support.audit import counted
from support.serving import Serving
from support.world import World

pytestmark = [pytest.mark.api, pytest.mark.usefixtures("with_seldon")]

BACKENDS = ("SeldonDeployment", "Deployment")
NOT_WHOLE = json.dumps({"reason": "ModelIncomplete", "message": "model.pkl is missing: log the model again"})
STEPS = [{"setWeight": 25}, {"pause": {"seconds": 1}}, {"setWeight": 50}, {"pause": {}}]


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def served(world: World, model: str, backend: str, **spec: object) -> Serving:
    """A ModelDeployment that serves version 1."""
    made = Serving(world, model={"name": model, "alias": "champion"}, backend=backend, **spec)
    world.until(lambda: made.pods("1"), "pods of version 1", 60)
    made.take_up("1")
    return made


@pytest.fixture
def serving(world: World, model: str, backend: str) -> Serving:
    """A ModelDeployment that serves version 1 in two pods and takes up others by a canary."""
    return served(world, model, backend, replicas=2, rollout={"strategy": "Canary", "steps": STEPS})


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
    world.until(lambda: serving.pods_of("canary") and serving.canary, "a canary's pod, and what status says of it")
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


def test_a_rolling_update_that_takes_too_long_is_taken_back(world: World, model: str, backend: str) -> None:
    serving = served(world, model, backend, progressDeadlineSeconds=10)
    switch(world, model)
    world.kubelet.miss_image(serving.pod("2"))
    said = serving.until_ready_says("True", "RolledBack")
    assert "ImagePullFailed" in said["message"]
    world.until(lambda: not serving.pods("2"), "the failed version's pods are gone")
    assert (serving.stable_version, len(serving.pods("1"))) == ("1", 1)
    switch(world, model)
    world.patch("ModelDeployment", serving.name, progressDeadlineSeconds=600)
    serving.take_up("3")


def test_without_room_an_old_pod_goes_before_a_new_one_starts(world: World, model: str, backend: str) -> None:
    serving = served(world, model, backend, replicas=2, rollout={"surge": "Forbid"})
    switch(world, model)
    most = 0

    def is_taken_up() -> bool:
        nonlocal most
        most = max(most, len(serving.pods("1") + serving.pods("2")))
        world.servers.answer(world.namespace, serving.name, "2")
        serving.make_ready("2")
        return serving.serves("2") and serving.stable_version == "2"

    world.until(is_taken_up, "version 2 serves", 60)
    assert (most, len(serving.pods("2"))) == (2, 2)


def test_an_alias_that_flaps_settles_on_its_last_version_with_few_writes(
    world: World, model: str, backend: str
) -> None:
    serving = served(world, model, backend)
    second = world.tracking.make_version(model)
    mark = world.audit.mark()
    for version in [second, "1"] * 20 + [second]:
        world.tracking.point(model, "champion", version)
    serving.take_up(second)
    serving.until_ready_says("True", "Serving")
    writes = world.audit.writes(mark, world.namespace)
    assert len(writes) < 41, f"for 41 moves: {counted(writes)}"


def test_a_version_that_is_deleted_while_it_serves_serves_on(world: World, model: str, backend: str) -> None:
    serving = served(world, model, backend)
    world.tracking.client.delete_model_version(model, "1")
    said = serving.until_ready_says("True", "AliasNotFound")
    assert "version 1 serves" in said["message"]
    assert len(serving.pods("1")) == 1
    world.patch("ModelDeployment", serving.name, model={"alias": None, "version": "1"})
    serving.until_ready_says("True", "VersionNotFound")


def test_the_alias_moves_back_to_what_serves_where_spec_says_so(world: World, model: str, backend: str) -> None:
    serving = served(world, model, backend, rollback={"moveAliasBack": True})
    switch(world, model)
    world.kubelet.fail_init(serving.pod("2"), NOT_WHOLE)
    alias = lambda: world.tracking.client.get_model_version_by_alias(model, "champion").version  # noqa: E731
    world.until(lambda: str(alias()) == "1", "the alias is back")
    serving.until_ready_says("True", "Serving")
    assert "AliasMovedBack" in [event["reason"] for event in world.events_about(serving.live)]
    assert [item["version"] for item in serving.status["refusedVersions"]] == ["2"]
    switch(world, model)
    serving.take_up("3")
