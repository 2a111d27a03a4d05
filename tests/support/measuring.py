"""ModelDeployments whose canaries are judged by what their pods answer, and what the pods answer."""

from typing import Any

from support.kubelet import ip_of
from support.model_servers import Load
from support.serving import Serving
from support.world import World

INTERVAL = 5
ERRORS = {"name": "errors", "builtin": "ErrorRate", "max": "0.01"}
LATENCY = {"name": "latency", "builtin": "LatencyP95Seconds", "max": "0.3"}
GOOD, BAD, SLOW = Load(100), Load(100, 0.3), Load(100, seconds=1.0)
_OF_SPEC = ("backend", "server")


def measured(world: World, model: str, *metrics: dict[str, Any], **fields: Any) -> Serving:
    """A ModelDeployment that serves version 1 in two pods under load, and measures others as canaries."""
    analysis = {"intervalSeconds": INTERVAL, "minSamples": 50, "metrics": list(metrics or (ERRORS, LATENCY))}
    analysis |= {name: value for name, value in fields.items() if name not in _OF_SPEC}
    rollout = {"strategy": "Canary", "steps": [{"setWeight": 25}, {"setWeight": 50}], "analysis": analysis}
    others = {name: value for name, value in fields.items() if name in _OF_SPEC}
    spec = {"backend": "Deployment", "replicas": 2, "rollout": rollout} | others
    made = Serving(world, model={"name": model, "alias": "champion"}, **spec)
    world.until(lambda: made.pods("1"), "pods of version 1", 60)
    made.take_up("1")
    load(world, made, "1", GOOD)
    return made


def load(world: World, serving: Serving, version: str, what: Load | None) -> None:
    """What the pods of a version answer from now on."""
    for pod in serving.pods(version):
        world.servers.load(ip_of(pod), what)


def begin_canary(world: World, model: str, serving: Serving, what: Load | None, weight: int = 25) -> str:
    """The champion becomes a new version, and its canary answers so."""
    version = world.tracking.make_version(model)
    world.tracking.point(model, "champion", version)
    world.until(lambda: serving.pods_of("canary"), "a canary's pod")
    load(world, serving, version, what)
    serving.bring_the_canary_up(version, weight=weight)
    return version


def result(serving: Serving, metric: str) -> dict[str, Any]:
    found = [item for item in serving.status.get("analysis") or [] if item["name"] == metric]
    return found[0] if found else {}
