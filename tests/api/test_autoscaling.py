"""Load decides how many pods serve: a real autoscaler's object, and nobody who undoes what it writes."""

import pytest

from support.kube import MERGE, Refused, path_of
from support.manifests import model_deployment
from support.serving import Serving
from support.world import World

pytestmark = pytest.mark.api

REQUESTS = {"resources": {"requests": {"cpu": "100m"}}}


@pytest.fixture
def model(world: World) -> str:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


def served(world: World, model: str, **spec: object) -> Serving:
    serving = Serving(world, model={"name": model, "alias": "champion"}, **spec)
    serving.come_up("1")
    return serving


def scale(world: World, replicas: int) -> None:
    """What an autoscaler does, and kubectl scale."""
    path = path_of("ModelDeployment", world.namespace, "digits", "scale")
    world.kube.send("PATCH", path, {"spec": {"replicas": replicas}}, content_type=MERGE)


def test_what_the_autoscaler_writes_is_carried_out_and_stays(world: World, model: str) -> None:
    serving = served(world, model, server=REQUESTS, autoscaling={"minReplicas": 1, "maxReplicas": 4})
    made = world.until(lambda: world.get("HorizontalPodAutoscaler", "digits"), "the autoscaler")
    assert made["spec"]["scaleTargetRef"]["kind"] == "ModelDeployment"
    scale(world, 3)
    world.until(lambda: len(serving.pods("1")) == 3, "three pods")
    serving.come_up("1")
    world.at_no_time(lambda: (world.get("Deployment", "digits") or {})["spec"]["replicas"] != 3, "undone", 4)
    assert serving.live["spec"]["replicas"] == 3
    # The real autoscaler finds its target by the scale subresource, and has no metrics here.
    said = world.until(
        lambda: serving.condition("Autoscaled") if serving.condition("Autoscaled").get("status") == "False" else None,
        "it is said that it has no metrics",
        60,
    )
    assert said["reason"] == "AutoscalerInactive"
    assert "metrics-server" in said["message"]


def test_the_real_autoscaler_holds_the_bounds(world: World, model: str) -> None:
    serving = served(world, model, server=REQUESTS, autoscaling={"minReplicas": 2, "maxReplicas": 4})
    world.until(lambda: serving.live["spec"]["replicas"] == 2, "the fewest pods", 60)
    world.until(lambda: len(serving.pods("1")) == 2, "two pods")
    scale(world, 9)
    world.until(lambda: serving.live["spec"]["replicas"] == 4, "it wins over kubectl scale", 60)


def test_several_pods_have_a_budget_and_one_has_none(world: World, model: str) -> None:
    serving = served(world, model, replicas=2)
    budget = world.until(lambda: world.get("PodDisruptionBudget", "digits"), "the budget")
    assert budget["spec"]["maxUnavailable"] == 1
    world.until(
        lambda: (world.get("PodDisruptionBudget", "digits") or {}).get("status", {}).get("currentHealthy") == 2,
        "it selects both pods",
    )
    scale(world, 1)
    world.until(lambda: world.get("PodDisruptionBudget", "digits") is None, "the budget goes")
    assert serving.condition("Ready")["status"] == "True"


def test_without_autoscaling_the_autoscaler_goes(world: World, model: str) -> None:
    serving = served(world, model, server=REQUESTS, autoscaling={"maxReplicas": 4})
    world.until(lambda: world.get("HorizontalPodAutoscaler", "digits"), "the autoscaler")
    world.patch("ModelDeployment", "digits", autoscaling=None)
    world.until(lambda: world.get("HorizontalPodAutoscaler", "digits") is None, "it goes")
    world.until(lambda: not serving.condition("Autoscaled"), "nothing is said of it")


def test_it_goes_with_its_owner(world: World, model: str) -> None:
    served(world, model, server=REQUESTS, replicas=2, autoscaling={"maxReplicas": 4})
    world.until(lambda: world.get("PodDisruptionBudget", "digits"), "the budget")
    world.delete("ModelDeployment", "digits")
    kinds = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Deployment")
    world.until(lambda: not any(world.items(kind) for kind in kinds), "nothing is left")


def test_utilization_of_nothing_is_refused(world: World) -> None:
    with pytest.raises(Refused, match=r"spec\.autoscaling needs spec\.server\.resources\.requests\.cpu"):
        world.create(model_deployment(autoscaling={"maxReplicas": 4}))
