"""Servers of Seldon's own protocol: the same life of a version as with the usual one, with either backend."""

import dataclasses
import json

import pytest

from support.kube import Refused
from support.measuring import BAD, GOOD, begin_canary, load, measured
from support.models import Model
from support.serving import Serving
from support.world import World

pytestmark = [pytest.mark.api, pytest.mark.usefixtures("with_seldon")]

BACKENDS = pytest.mark.parametrize("backend", ["SeldonDeployment", "Deployment"])
SELDON = {"protocol": "seldon"}
EXAMPLE = '{"dataframe_split": {"columns": ["age"], "data": [[4.5]]}}'
MESSAGE = {"data": {"names": ["age"], "ndarray": [[4.5]]}}
PATH = "/api/v1.0/predictions"


def champion(world: World) -> str:
    """A version with an example becomes the champion; the model's name."""
    name = f"{world.namespace}.digits"
    version = Model(files=(("serving_input_example.json", EXAMPLE),)).register(world.tracking, name)
    world.tracking.point(name, "champion", version)
    return name


def tried(world: World) -> list[tuple[str, object]]:
    """What was asked in this namespace: the Service and the message."""
    return [(service, json.loads(body)) for space, service, body in world.servers.tried if space == world.namespace]


@BACKENDS
def test_versions_are_tried_served_and_switched(world: World, backend: str) -> None:
    model = champion(world)
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend=backend, server=SELDON)
    serving.come_up("1")
    assert serving.status["url"].endswith(f"/{world.namespace}/digits{PATH}")
    assert serving.status["checked"]["smokeTest"] == "Passed"
    assert tried(world) == [("digits", MESSAGE)]

    champion(world)
    world.until(lambda: serving.pods_of("canary"), "version 2 is tried in a pod of its own")
    world.servers.answer(world.namespace, "digits-canary", "2")
    serving.take_up("2")
    assert tried(world) == [("digits", MESSAGE), ("digits-canary", MESSAGE)]

    (server,) = serving.pods("2")[0]["spec"]["containers"]
    told = {variable["name"]: variable.get("value") for variable in server["env"]}
    assert json.loads(told["MODEL_METADATA"])["versions"] == ["2"]
    assert told["PREDICTIVE_UNIT_HTTP_SERVICE_PORT"] == "9000"
    assert server["readinessProbe"]["httpGet"]["path"] == "/health/status"


@BACKENDS
def test_a_version_that_does_not_answer_its_example_is_refused(world: World, backend: str) -> None:
    model = champion(world)
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend=backend, server=SELDON)
    serving.come_up("1")
    failed = (500, b'{"status": {"status": 1, "info": "thirteen", "code": -1}}')
    world.servers.reply(world.namespace, "digits-canary", failed)
    world.servers.answer(world.namespace, "digits-canary", "2")
    champion(world)
    world.until(lambda: serving.make_ready("2") or serving.status.get("refusedVersions"), "version 2 is refused")
    (refused,) = serving.status["refusedVersions"]
    assert (refused["version"], refused["reason"]) == ("2", "SmokeTestFailed")
    assert "thirteen" in refused["message"]
    assert serving.stable_version == "1"


@BACKENDS
def test_canaries_are_judged_by_what_they_answer(world: World, backend: str) -> None:
    model = f"{world.namespace}.measured"
    world.tracking.point(model, "champion", world.tracking.make_version(model))
    good, bad = (dataclasses.replace(usual, path=PATH) for usual in (GOOD, BAD))
    serving = measured(world, model, backend=backend, server=SELDON)
    load(world, serving, "1", good)
    begin_canary(world, model, serving, bad)
    world.until(lambda: serving.status.get("refusedVersions"), "the canary is refused")
    (refused,) = serving.status["refusedVersions"]
    assert refused["reason"] == "AnalysisFailed"
    assert "the stable version has 0 in the same window" in refused["message"]


def test_the_protocol_stays_what_it_is(world: World) -> None:
    model = champion(world)
    serving = Serving(world, model={"name": model, "alias": "champion"}, server={"protocol": "v2"})
    for change in ({"server": SELDON}, {"server": {"protocol": "tensorflow"}}):
        with pytest.raises(Refused, match=r"spec\.server\.protocol"):
            world.kube.patch("ModelDeployment", world.namespace, serving.name, {"spec": change})
    world.kube.patch("ModelDeployment", world.namespace, serving.name, {"spec": {"server": None}})


def test_leaving_the_protocol_out_is_a_change_of_it_too(world: World) -> None:
    serving = Serving(world, model={"name": champion(world), "alias": "champion"}, server=SELDON)
    with pytest.raises(Refused, match=r"make a second ModelDeployment with the other one and move clients"):
        world.kube.patch("ModelDeployment", world.namespace, serving.name, {"spec": {"server": None}})
