"""The example that was logged with a version is sent to its own pods before anybody else's request."""

import pytest

from support.models import Model
from support.serving import Serving
from support.world import World

pytestmark = pytest.mark.api

EXAMPLE = '{"dataframe_split": {"columns": ["age"], "data": [[20.5]]}}'
WITH_EXAMPLE = Model(files=(("serving_input_example.json", EXAMPLE),))
CANARY_SERVICE = "digits-canary"
BROKEN = (500, b"could not convert string to float: 'twenty'\n")
CANARY = {"strategy": "Canary", "steps": [{"setWeight": 50}, {"pause": {}}]}


def follow(world: World, model: Model, **spec: object) -> Serving:
    """A ModelDeployment that follows the champion, which is a version of this model."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", model.register(world.tracking, name))
    return Serving(world, model={"name": name, "alias": "champion"}, **spec)


def switch(serving: Serving, model: Model) -> None:
    """The champion becomes a version of another model."""
    world, name = serving.world, serving.live["spec"]["model"]["name"]
    world.tracking.point(name, "champion", model.register(world.tracking, name))


def tried(world: World) -> list[tuple[str, str]]:
    """Service and body of each request so far."""
    return [(service, body) for namespace, service, body in world.servers.tried if namespace == world.namespace]


def test_a_first_version_is_tried_before_it_is_ready(world: World) -> None:
    serving = follow(world, WITH_EXAMPLE)
    serving.come_up("1")
    assert tried(world) == [("digits", EXAMPLE)]
    assert serving.status["checked"]["smokeTest"] == "Passed"


def test_a_first_version_that_does_not_answer_its_example_is_not_ready(world: World) -> None:
    world.servers.reply(world.namespace, "digits", BROKEN)
    serving = follow(world, WITH_EXAMPLE)
    world.servers.answer(world.namespace, "digits", "1")
    world.until(lambda: serving.pods("1"), "a pod")
    serving.make_ready("1")
    said = serving.until_ready_says("False", "SmokeTestFailed")
    assert "500: could not convert string to float: 'twenty'" in said["message"]
    assert serving.condition("Stalled")["reason"] == "SmokeTestFailed"
    assert len(tried(world)) == 1


def test_a_rolling_update_tries_the_version_without_traffic_first(world: World) -> None:
    serving = follow(world, WITH_EXAMPLE)
    serving.come_up("1")
    switch(serving, WITH_EXAMPLE)
    canary = serving.pod("2")
    assert canary["metadata"]["labels"]["modelyard.io/predictor"] == "canary"
    world.servers.answer(world.namespace, CANARY_SERVICE, "2")
    serving.make_ready("2")
    world.until(lambda: (CANARY_SERVICE, EXAMPLE) in tried(world), "the example is sent to the canary")
    serving.come_up("2")
    assert serving.status["history"][-1]["outcome"] == "Promoted"
    assert "canary" not in serving.status


@pytest.mark.parametrize("rollout", [{}, CANARY], ids=["RollingUpdate", "Canary"])
def test_a_version_that_does_not_answer_its_example_never_gets_traffic(world: World, rollout: object) -> None:
    world.servers.reply(world.namespace, CANARY_SERVICE, BROKEN)
    serving = follow(world, WITH_EXAMPLE, rollout=rollout)
    serving.come_up("1")
    switch(serving, WITH_EXAMPLE)
    serving.pod("2")
    world.servers.answer(world.namespace, CANARY_SERVICE, "2")
    serving.make_ready("2")
    said = serving.until_ready_says("True", "RolledBack")
    assert "SmokeTestFailed" in said["message"]
    assert "could not convert string to float" in said["message"]
    world.until(lambda: not serving.pods("2"), "its pods go")
    assert serving.stable_version == "1"
    refused = serving.status["refusedVersions"][-1]
    assert (refused["version"], refused["reason"]) == ("2", "SmokeTestFailed")


def test_without_an_example_it_is_said_that_nothing_is_tried(world: World) -> None:
    serving = follow(world, Model())
    serving.come_up("1")
    assert tried(world) == []
    assert "no input example" in serving.condition("Compatible")["message"]


def test_nothing_is_tried_where_it_is_not_wanted(world: World) -> None:
    serving = follow(world, WITH_EXAMPLE, validation={"smokeTest": False})
    serving.come_up("1")
    switch(serving, WITH_EXAMPLE)
    serving.come_up("2")
    assert tried(world) == []
