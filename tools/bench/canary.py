"""A canary of timed steps through the gateway: how long its steps take, and which share of the answers they give it."""

import json
from collections.abc import Sequence
from typing import Any

from tools.bench.audit import AuditLog, Write
from tools.bench.bench import MODEL, SWITCH_LIMIT_SECONDS, VERSION_LABEL, Bench
from tools.bench.figures import Figure
from tools.bench.steps import Weight, figures_of_canary, share_of, weights_between
from tools.demo.install import NAMESPACE
from tools.demo.objects import is_true
from tools.demo.screen import DemoError
from tools.gateway.manifests import GATEWAY
from tools.gateway.manifests import NAMESPACE as GATEWAY_NAMESPACE
from tools.localcluster.paths import current_state

NAME = "digits-stepped"
WEIGHTS = (10, 25, 50, 75, 90)
PAUSE_SECONDS = 30


def measure_canary(bench: Bench, versions: Sequence[str], rate: float) -> list[Figure]:
    """Takes the second version up over the first one while requests keep coming; raises DemoError, KubectlError."""
    before, after = versions
    _apply(bench, before)
    bench.await_served(before, NAME)
    bench.watch.until("the Gateway's word that it took the route", lambda: _is_routed(bench), SWITCH_LIMIT_SECONDS)
    load = bench.load("load-canary")
    load.start("steady", [str(1 / rate), "10000"], {"canary": bench.url(NAME)})
    load.settle("canary", before, SWITCH_LIMIT_SECONDS)
    log = AuditLog(current_state().audit_log)
    mark = log.mark()
    _apply(bench, after)
    bench.await_served(after, NAME, len(WEIGHTS) * PAUSE_SECONDS + SWITCH_LIMIT_SECONDS)
    load.settle("canary", after, SWITCH_LIMIT_SECONDS)
    routes, servers = (log.writes(mark, resource, NAMESPACE, NAME) for resource in ("httproutes", "deployments"))
    history = load.history("canary")
    load.stop()
    weights = weights_between([(write.at, canary_weight(write)) for write in routes], takeover(servers, after))
    if [weight.percent for weight in weights] != list(WEIGHTS):
        raise DemoError(f"the route had the weights {[weight.percent for weight in weights]}, not {list(WEIGHTS)}")
    shares = [share_of(weight, history, after) for weight in weights]
    bench.screen.say(*(str(share) for share in shares), told_of(weights))
    failed = Figure("failed requests of the canary", history[-1].failures, 0, "requests")
    return [failed, *figures_of_canary(weights, shares, PAUSE_SECONDS)]


def canary_weight(write: Write) -> int:
    """The percent that a route gives to the canary: to all but its first backend."""
    [rule] = write.written["spec"]["rules"]
    return sum(int(backend["weight"]) for backend in rule["backendRefs"][1:])


def takeover(servers: Sequence[Write], version: str) -> float:
    """When the stable pods were first told to be this version; raises DemoError where they never were."""
    for write in servers:
        if write.written["spec"]["template"]["metadata"]["labels"].get(VERSION_LABEL) == version:
            return write.at
    raise DemoError(f"the Deployment {NAME} was never told of version {version}")


def told_of(weights: Sequence[Weight]) -> str:
    """How long each weight lasted."""
    return "seconds at each weight: " + ", ".join(f"{weight.end - weight.begin:.2f}" for weight in weights)


def _is_routed(bench: Bench) -> bool:
    return is_true(bench.watch.read("modeldeployment", NAME), "TrafficSplit")


def _apply(bench: Bench, version: str) -> None:
    text = json.dumps(build_deployment(version))
    bench.site.kubectl.run("apply", "--server-side", "--filename", "-", stdin=text)


def build_deployment(version: str) -> dict[str, Any]:
    """The ModelDeployment that stays at this version."""
    steps = [step for weight in WEIGHTS for step in ({"setWeight": weight}, {"pause": {"seconds": PAUSE_SECONDS}})]
    return {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "model": {"name": MODEL, "version": version},
            "backend": "Deployment",
            "server": {"resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}}},
            "rollout": {"strategy": "Canary", "steps": steps, "withoutRoute": "Refuse"},
            "route": {
                "gateway": {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE},
                "pathPrefix": f"/bench/{NAME}",
            },
        },
    }
