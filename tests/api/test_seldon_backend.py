"""A ModelDeployment with the SeldonDeployment backend, on a cluster where Seldon comes late; its stand-in plays it."""

import pytest

from support.rights import granted
from support.seldon import SeldonStandIn
from support.serving import Serving
from support.world import World

pytestmark = pytest.mark.api

NOTICED_SECONDS = 60.0
"""How long after its installation Seldon may stay unnoticed."""
COLLECTED_SECONDS = 90.0
"""The garbage collector hears of a new kind of object after 30 s."""


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


def test_without_seldon_it_says_so_and_goes_on_once_seldon_is_there(
    world: World, model: str, seldon: SeldonStandIn, operator_roles: list[dict[str, object]]
) -> None:
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend="SeldonDeployment")
    said = serving.until_ready_says("False", "BackendMissing")
    assert "install Seldon Core" in said["message"]
    assert serving.condition("Stalled")["status"] == "True"
    seldon.install()
    world.until(lambda: serving.pods("1"), "a pod that serves version 1", NOTICED_SECONDS)
    serving.come_up("1")
    (sdep,) = world.items("SeldonDeployment")
    assert serving.status["backendRef"]["uid"] == sdep["metadata"]["uid"]
    assert serving.status["availableReplicas"] == 1
    assert sdep["spec"]["protocol"] == "v2"

    world.tracking.point(model, "champion", world.tracking.make_version(model))
    serving.pod("2")
    serving.until_ready_says("True", "Progressing")
    assert serving.pods("1"), "the old pod serves until the new one is ready"
    assert serving.stable_version == "1"
    serving.come_up("2")
    used = {item.right for item in world.audit.since(0)}
    assert used <= granted(operator_roles)

    world.delete("ModelDeployment", "digits")
    kinds = ("SeldonDeployment", "Deployment", "Service")
    world.until(lambda: not any(world.items(kind) for kind in kinds), "nothing is left", COLLECTED_SECONDS)


def test_a_seldon_deployment_of_somebody_else_is_left_as_it_is(world: World, model: str) -> None:
    predictor = {"name": "theirs", "replicas": 0, "graph": {"name": "theirs", "type": "MODEL"}}
    theirs = world.create(
        {
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "digits"},
            "spec": {"predictors": [predictor]},
        }
    )
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend="SeldonDeployment")
    said = serving.until_ready_says("False", "Conflict")
    assert "SeldonDeployment digits" in said["message"]
    assert (world.get("SeldonDeployment", "digits") or {})["spec"] == theirs["spec"]
