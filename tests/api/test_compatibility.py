"""A version that the server image cannot run, or that breaks clients, is not started: against a real MLflow."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from api.mlflow_server import MlflowServer
from support.models import SERVER_IMAGE, SERVER_IMAGES, Model
from support.operator_process import OperatorProcess, running
from support.serving import Serving
from support.world import World

pytestmark = pytest.mark.api

SUITS = Model()
TOO_NEW = SUITS.changed(python="3.13.1")
RETYPED = SUITS.changed(inputs=(("age", "string"), ("city", "string")))


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One that knows its server image."""
    known = {**settings, "SERVER_IMAGE": SERVER_IMAGE, "SERVER_IMAGES": SERVER_IMAGES}
    with running([OperatorProcess(account, tmp_path_factory.mktemp("operator"), "operator", known)]) as processes:
        yield processes


def follow(world: World, model: Model, **spec: object) -> Serving:
    """A ModelDeployment that follows the champion, which is a version of this model."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", model.register(world.tracking, name))
    return Serving(world, model={"name": name, "alias": "champion"}, **spec)


def switch(serving: Serving, model: Model) -> None:
    """The champion becomes a version of another model."""
    world, name = serving.world, serving.live["spec"]["model"]["name"]
    world.tracking.point(name, "champion", model.register(world.tracking, name))


def test_a_first_version_that_does_not_suit_is_never_started(world: World) -> None:
    serving = follow(world, TOO_NEW)
    said = serving.until_ready_says("False", "Incompatible")
    assert "pickled with Python 3.13" in said["message"]
    assert "3.11" in said["message"]
    assert serving.condition("Compatible")["status"] == "False"
    assert serving.condition("Stalled")["reason"] == "Incompatible"
    assert world.items("Deployment") == []


def test_what_serves_serves_on_and_the_way_back_is_free(world: World) -> None:
    serving = follow(world, SUITS, replicas=2)
    world.until(lambda: len(serving.pods("1")) == 2, "two pods")
    serving.come_up("1")
    assert serving.condition("Compatible")["status"] == "True"
    switch(serving, TOO_NEW)
    said = serving.until_ready_says("True", "Incompatible")
    assert "version 1 serves" in said["message"]
    assert "version 2" in said["message"]
    assert serving.pods("2") == []
    assert (serving.stable_version, serving.status["desiredVersion"]) == ("1", "2")
    assert [event["reason"] for event in world.events_about(serving.live)] == ["Serving", "Incompatible"]
    world.patch("ModelDeployment", "digits", replicas=1)
    world.until(lambda: len(serving.pods("1")) == 1, "an edit of what serves is still done")
    switch(serving, SUITS)
    serving.come_up("3")
    assert serving.condition("Degraded")["status"] == "False"


def test_another_image_lets_a_refused_version_start(world: World) -> None:
    serving = follow(world, TOO_NEW)
    serving.until_ready_says("False", "Incompatible")
    world.patch("ModelDeployment", "digits", server={"image": "registry.example.org/ml/python313:1"})
    serving.come_up("1")
    assert serving.condition("Compatible")["reason"] == "ImageNotDescribed"


def test_an_image_that_does_not_suit_what_serves_is_not_taken(world: World) -> None:
    serving = follow(world, TOO_NEW, server={"image": "registry.example.org/ml/python313:1"})
    serving.come_up("1")
    world.patch("ModelDeployment", "digits", server={"image": SERVER_IMAGE})
    serving.until_ready_says("True", "Incompatible")
    images = [pod["spec"]["containers"][0]["image"] for pod in serving.pods("1")]
    assert images == ["registry.example.org/ml/python313:1"]


def test_a_version_that_breaks_clients_waits_until_a_person_says_that_none_minds(world: World) -> None:
    serving = follow(world, SUITS)
    serving.come_up("1")
    switch(serving, RETYPED)
    said = serving.until_ready_says("True", "SignatureChanged")
    assert "input age was double and is string" in said["message"]
    assert "input city is new and required" in said["message"]
    assert serving.pods("2") == []
    world.patch("ModelDeployment", "digits", validation={"signature": "Warn"})
    serving.come_up("2")


def test_warned_it_starts_and_says_so(world: World) -> None:
    serving = follow(world, TOO_NEW, validation={"compatibility": "Warn"})
    serving.come_up("1")
    assert serving.condition("Compatible")["reason"] == "Incompatible"
    assert "Incompatible" in [event["reason"] for event in world.events_about(serving.live)]


def test_a_versions_files_are_read_once(world: World, mlflow_server: MlflowServer) -> None:
    serving = follow(world, TOO_NEW)
    serving.until_ready_says("False", "Incompatible")

    def count() -> int:
        asked = (line for line in mlflow_server.log.splitlines() if "/get-artifact?" in line and "MLmodel" in line)
        return sum(world.namespace in line for line in asked)

    assert count() == 1
    world.patch("ModelDeployment", "digits", replicas=2)
    world.at_no_time(lambda: count() > 1, "it is read again", 4)
