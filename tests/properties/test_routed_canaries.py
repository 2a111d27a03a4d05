"""A canary behind a Gateway that takes its time: no request is led to a predictor that cannot answer it."""

from typing import Any

import pytest

import builders
from modelyard.api import names
from modelyard.core.gateway import Gateway, ReadGateway
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest, Question
from properties.actions import BACKENDS
from properties.serving import NAME, ServingWorld
from properties.test_canary_crashes import LASTS, REFUSED, SCENARIOS, STEPS
from properties.world import Crasher, conditions_of

SERVICES = {NAME: STABLE, f"{NAME}-canary": CANARY}
NAMES = [name for name in SCENARIOS if "loss of the alias" not in name]
LATE_TICKS = 2
"""How long the Gateway takes to do as it is told."""
WEB = Gateway("slow", ("10.0.0.9",), features=frozenset({"HTTPRouteRequestMirror"}))


class RoutedWorld(ServingWorld):
    """The same world, with a Gateway whose controller is slow."""

    def __post_init__(self) -> None:
        self.told_for = 0
        self.in_effect: dict[str, int] = {}
        self.pods_vanish = False
        super().__post_init__()

    def observe(self, resource: Manifest, answers: dict[Question, Any]) -> Observed:
        seen = super().observe(resource, answers)
        routes = tuple(self.cache.of_kind("HTTPRoute"))
        return Observed(seen.context, True, (*seen.objects, *routes), seen.pods, seen.answers)

    def ask(self, question: Question) -> Any:
        return WEB if isinstance(question, ReadGateway) else super().ask(question)

    def controllers(self) -> None:
        super().controllers()
        route = self.api.get("HTTPRoute", NAME)
        if route is None:
            return
        generation = route["metadata"]["generation"]
        said = (route.get("status") or {}).get("parents") or []
        if said and said[0]["conditions"][0]["observedGeneration"] == generation:
            self.told_for = 0
            return
        self.told_for += 1
        if self.told_for > LATE_TICKS:
            parent = builders.said_by_gateway()
            for condition in parent["conditions"]:
                condition["observedGeneration"] = generation
            self.api.put(route | {"status": {"parents": [parent]}})
            self.in_effect = shares(route)

    def check(self) -> None:
        super().check()
        if not self.pods_vanish and self.has_served:
            for predictor in self.in_effect:
                wanted = self.resource["spec"].get("replicas", 1)
                assert not wanted or self.ready_versions(predictor), f"the Gateway leads to no {predictor} pod"


def shares(route: Manifest) -> dict[str, int]:
    """Percent by predictor; checks what holds for every route."""
    [rule] = route["spec"]["rules"]
    found = {SERVICES[ref["name"]]: ref["weight"] for ref in rule["backendRefs"]}
    assert sum(found.values()) == 100
    assert 0 not in found.values()
    return found


def copies(route: Manifest) -> int:
    """Percent of the requests that are copied."""
    [rule] = route["spec"]["rules"]
    found = [item["requestMirror"] for item in rule.get("filters", []) if item["type"] == "RequestMirror"]
    return sum(int(item.get("percent", 100)) for item in found)


def a_shadow(name: str, backend: str, crasher: Crasher | None = None, **more: Any) -> RoutedWorld:
    rollout = {"strategy": "Shadow", "steps": [{"pause": {"seconds": 3}}, {"pause": {}}]} | more
    world = a_world(name, backend, crasher)
    found = world.resource
    world.api.put(found | {"spec": found["spec"] | {"rollout": rollout}})
    return world


def a_world(name: str, backend: str, crasher: Crasher | None = None) -> RoutedWorld:
    rollout = {"strategy": "Canary", "steps": STEPS, "withoutRoute": "Refuse"}
    deployment = builders.make_model_deployment().with_replicas(2).with_spec(rollout=rollout).with_route().build()
    actions = dict(SCENARIOS[name])
    world = RoutedWorld(deployment, backend, bad=frozenset({"3"}), actions=actions, crasher=crasher or Crasher())
    world.pods_vanish = "loss" in name or "loses" in name
    return world


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_canary_behind_a_gateway_ends_as_it_should(name: str, backend: str) -> None:
    world = a_world(name, backend)
    world.run(120)
    status = world.resource["status"]
    told = conditions_of(world.resource)
    meant = LASTS.get(name, "1" if name in REFUSED else str(world.registry.alias))
    assert status["stable"]["version"] == meant
    assert told["TrafficSplit"]["status"] == "True"
    assert ("canary" in status) == (name in LASTS)
    route = world.api.get("HTTPRoute", NAME)
    assert route is not None
    assert shares(route) == ({STABLE: 50, CANARY: 50} if name in LASTS else {STABLE: 100})
    assert world._selector(NAME)[names.LABEL_PREDICTOR] == STABLE


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["is taken up", "is aborted", "is bad", "gives way to a newer one"])
def test_a_crash_at_any_step_leads_no_request_astray(name: str, backend: str) -> None:
    calm = a_world(name, backend)
    calm.run(120)
    changing = [step for step, what in enumerate(calm.crasher.steps) if "ask" not in what and "event" not in what]
    for step in changing[:: max(1, len(changing) // 10)]:
        crashed = a_world(name, backend, Crasher(at=step))
        crashed.run(120)
        assert crashed.crashes == 1
        assert crashed.resource["status"]["stable"]["version"] == calm.resource["status"]["stable"]["version"]
        assert crashed.in_effect == calm.in_effect


SHADOWED = ["is taken up", "waits for a person", "is aborted", "is bad", "gives way to a newer one", "loses its pods"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SHADOWED)
def test_a_shadow_never_answers_a_client(name: str, backend: str) -> None:
    world = a_shadow(name, backend)
    seen = set()

    def look() -> None:
        route = world.api.get("HTTPRoute", NAME)
        if route:
            assert shares(route) == {STABLE: 100}
            seen.add(copies(route))
            assert not copies(route) or name == "loses its pods" or world.ready_versions(CANARY)

    world.api.after_write = look
    world.run(120)
    meant = LASTS.get(name, "1" if name in REFUSED else str(world.registry.alias))
    assert world.resource["status"]["stable"]["version"] == meant
    assert seen == ({0} if name == "is bad" else {0, 100})
    route = world.api.get("HTTPRoute", NAME)
    assert route is not None
    assert copies(route) == (100 if name in LASTS else 0)


COMPARED = {"intervalSeconds": 5, "metrics": [{"name": "same", "builtin": "Disagreement", "max": "0.1"}]}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["alike", "otherwise", "untold"])
def test_a_shadow_is_taken_up_only_when_it_is_known_to_predict_the_same(kind: str, backend: str) -> None:
    world = a_shadow("is taken up", backend, analysis=COMPARED, steps=[{"pause": {"seconds": 3}}])
    world.erring = frozenset({"2"}) if kind == "otherwise" else frozenset()
    world.is_silent = kind == "untold"
    world.run(90)
    status = world.resource["status"]
    assert status["stable"]["version"] == ("2" if kind == "alike" else "1")
    refused = [(item["version"], item["reason"]) for item in status.get("refusedVersions", [])]
    assert refused == ([("2", "AnalysisFailed")] if kind == "otherwise" else [])
    assert ("canary" in status) == (kind == "untold")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crash_at_any_step_of_a_shadow_ends_as_no_crash(backend: str) -> None:
    calm = a_shadow("is taken up", backend)
    calm.run(120)
    changing = [step for step, what in enumerate(calm.crasher.steps) if "ask" not in what and "event" not in what]
    for step in changing[:: max(1, len(changing) // 10)]:
        crashed = a_shadow("is taken up", backend, Crasher(at=step))
        crashed.run(120)
        assert crashed.crashes == 1
        assert crashed.resource["status"]["stable"]["version"] == "2"
