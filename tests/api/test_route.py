"""A ModelDeployment with a route, against the real definitions of Gateway API; the test plays the controller."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from modelyard_answers.recorder import Recorder

from support.gateway import REWRITES, Controller, GatewayApi
from support.kube import Kube, Manifest
from support.kubelet import ip_of
from support.rights import granted
from support.serving import Serving
from support.world import World

COLLECTED_SECONDS = 90.0
"""The garbage collector hears of a new kind of object after 30 s."""
POLLS_SECONDS = 5.0


@pytest.fixture(scope="module", autouse=True)
def gateway_api(kube: Kube) -> Iterator[None]:
    """There before the operator starts; that it may come later is tested with Seldon's kind."""
    api = GatewayApi(kube)
    api.install()
    yield
    api.remove()


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


def routed(world: World, model: str, **route: object) -> Serving:
    """Serves version 1, with a route through the played Gateway."""
    wanted = {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]} | route
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend="Deployment", route=wanted)
    serving.come_up("1")
    return serving


def until_split_is(serving: Serving, status: str, reason: str) -> str:
    def probe() -> str | None:
        said = serving.condition("TrafficSplit")
        return f"{said['message']}." if (said.get("status"), said.get("reason")) == (status, reason) else None

    return serving.world.until(probe, f"TrafficSplit is {status}, {reason}")


def test_a_route_is_made_taken_changed_and_taken_away(world: World, model: str, operator_roles: list[Manifest]) -> None:
    gateway = Controller(world, REWRITES)
    serving = routed(world, model, pathPrefix="/team/digits")
    until_split_is(serving, "Unknown", "RoutePending")
    [rule] = gateway.route("digits")["spec"]["rules"]
    assert rule["matches"][0]["path"]["value"] == "/team/digits"
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [("digits", 100)]
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")
    assert serving.status["url"] == "http://digits.example.org:8000/team/digits/v2/models/model/infer"
    assert serving.status["clusterURL"].endswith("/v2/models/model/infer")

    route = {"gateway": {"name": "web"}, "hostnames": ["other.example.org"], "pathPrefix": None}
    world.patch("ModelDeployment", "digits", route=route)
    world.until(lambda: gateway.route("digits")["spec"]["hostnames"] == ["other.example.org"], "the host changes")
    assert "filters" not in gateway.route("digits")["spec"]["rules"][0]
    until_split_is(serving, "Unknown", "RoutePending")
    assert serving.condition("Ready")["status"] == "True", "what serves is not touched by its route"
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")

    world.patch("ModelDeployment", "digits", route=None)
    world.until(lambda: world.get("HTTPRoute", "digits") is None, "the route goes")
    world.until(lambda: not serving.condition("TrafficSplit"), "nothing is said of it")
    used = {item.right for item in world.audit.since(0)}
    assert used <= granted(operator_roles)


def test_the_route_goes_with_its_owner(world: World, model: str) -> None:
    gateway = Controller(world)
    routed(world, model)
    gateway.route("digits")
    world.delete("ModelDeployment", "digits")
    world.until(lambda: world.get("HTTPRoute", "digits") is None, "the route goes", COLLECTED_SECONDS)


def test_a_refusal_is_told_and_what_serves_serves_on(world: World, model: str) -> None:
    gateway = Controller(world)
    serving = routed(world, model)
    gateway.says("digits", "False", "NotAllowedByListeners", "routes of this namespace are not allowed")
    said = until_split_is(serving, "False", "RouteNotAccepted")
    assert "routes of this namespace are not allowed" in said
    assert "allowedRoutes" in said
    assert serving.condition("Ready")["status"] == "True"
    warned = [event["reason"] for event in world.events_about(serving.live)]
    assert "RouteNotAccepted" in warned
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")


def test_a_gateway_that_comes_later_is_no_harm(world: World, model: str) -> None:
    serving = routed(world, model)
    assert "there is no Gateway" in until_split_is(serving, "False", "GatewayNotFound")
    Controller(world).says("digits")
    until_split_is(serving, "True", "RouteAccepted")
    url = "http://digits.example.org:8000/v2/models/model/infer"
    world.until(lambda: serving.status["url"] == url, "the way through the Gateway is named")


def test_a_gateway_that_cannot_cut_off_a_prefix_gets_no_such_route(world: World, model: str) -> None:
    Controller(world, "HTTPRouteMethodMatching")
    serving = routed(world, model, pathPrefix="/digits")
    assert REWRITES in until_split_is(serving, "False", "PathRewriteUnsupported")
    assert world.get("HTTPRoute", "digits") is None


def test_somebody_elses_route_is_left_as_it_is(world: World, model: str) -> None:
    Controller(world)
    theirs = world.create(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "digits"},
            "spec": {"hostnames": ["theirs.example.org"]},
        }
    )
    wanted = {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]}
    serving = Serving(world, model={"name": model, "alias": "champion"}, backend="Deployment", route=wanted)
    serving.pod("1")
    world.servers.answer(world.namespace, "digits", "1")
    world.until(lambda: serving.make_ready("1") or serving.condition("Stalled"), "the conflict is told")
    assert "HTTPRoute digits" in serving.condition("Stalled")["message"]
    assert (world.get("HTTPRoute", "digits") or {})["spec"] == theirs["spec"]


BY_STEPS = {"strategy": "Canary", "steps": [{"setWeight": 25}, {"pause": {}}]}


def canary(world: World, model: str, rollout: dict[str, object], route: dict[str, object] | None) -> Serving:
    """Serves version 1 in two pods, and takes up others by a canary."""
    spec = {"backend": "Deployment", "replicas": 2, "rollout": rollout} | ({"route": route} if route else {})
    serving = Serving(world, model={"name": model, "alias": "champion"}, **spec)
    serving.take_up("1")
    return serving


def switch(world: World, model: str) -> None:
    world.tracking.point(model, "champion", world.tracking.make_version(model))


def test_a_canary_has_its_share_from_the_gateway_and_waits_for_its_word(world: World, model: str) -> None:
    gateway = Controller(world)
    serving = canary(world, model, BY_STEPS, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    until_split_is(serving, "Unknown", "RoutePending")
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")

    switch(world, model)
    world.until(lambda: serving.pods_of("canary"), "a canary's pod")
    assert gateway.shares("digits") == {"digits": 100}, "no traffic before it answers"
    serving.bring_the_canary_up("2", weight=25)
    assert gateway.shares("digits") == {"digits": 75, "digits-canary": 25}
    held = lambda: "has not answered" in serving.condition("Ready")["message"]  # noqa: E731
    world.until(held, "no step is taken before the Gateway has taken the last one")
    gateway.says("digits")
    serving.until_ready_says("True", "AwaitingResume")
    said = until_split_is(serving, "True", "RouteAccepted")
    assert "75 % to Service digits and 25 % to Service digits-canary" in said
    selector = (world.get("Service", "digits") or {})["spec"]["selector"]
    assert selector["modelyard.io/predictor"] == "stable", "who calls the Service has no part in the trial"

    serving.annotate("abort", "2")
    world.until(lambda: gateway.shares("digits") == {"digits": 100}, "its traffic goes first")
    world.at_no_time(lambda: not serving.pods_of("canary"), "its pods go before the Gateway knows", 3)
    gateway.says("digits")
    world.until(lambda: not serving.pods_of("canary"), "its pods go")
    assert serving.stable_version == "1"

    serving.annotate("abort", None)
    serving.annotate("retry", "2")
    world.until(lambda: serving.pods_of("canary"), "a canary's pod again")
    serving.bring_the_canary_up("2", weight=25)
    gateway.says("digits")
    serving.until_ready_says("True", "AwaitingResume")
    serving.annotate("resume", "2")
    world.servers.answer(world.namespace, "digits", "2")

    def is_finishing() -> bool:
        serving.make_ready("2")
        return gateway.shares("digits") == {"digits": 100}

    world.until(is_finishing, "the stable pods have its version, and all the traffic")
    assert serving.pods_of("canary"), "it goes once the Gateway knows"
    gateway.says("digits")
    serving.take_up("2")
    world.until(lambda: not serving.pods_of("canary"), "its pods go")


def test_a_canary_does_not_begin_where_the_gateway_refuses(world: World, model: str) -> None:
    gateway = Controller(world)
    serving = canary(world, model, BY_STEPS, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    gateway.says("digits", "False", "NotAllowedByListeners", "not from this namespace")
    until_split_is(serving, "False", "RouteNotAccepted")
    switch(world, model)
    said = serving.until_ready_says("True", "RouteNotAccepted")
    assert "version 1 serves; version 2 waits" in said["message"]
    assert not serving.pods_of("canary")
    gateway.says("digits")
    world.until(lambda: serving.pods_of("canary"), "it begins once the Gateway takes the route")


def test_without_a_route_the_pods_split_or_nothing_does(world: World, model: str) -> None:
    serving = canary(world, model, BY_STEPS, None)
    switch(world, model)
    world.until(lambda: serving.pods_of("canary"), "a canary's pod")
    serving.bring_the_canary_up("2", weight=25)
    ratio = "25 % is asked for, 1 of 3 ready pods (33 %) are the canary's"
    world.until(lambda: ratio in until_split_is(serving, "False", "NoRoute"), "the real share is told")

    world.patch("ModelDeployment", "digits", rollout={"withoutRoute": "Refuse"})
    said = serving.until_ready_says("True", "NoRoute")
    assert "version 2 waits" in said["message"]
    assert serving.condition("Stalled")["status"] == "True"
    world.until(lambda: not serving.pods_of("canary"), "its canary goes")


MIRRORS = "HTTPRouteRequestMirror"
SHADOW = {"strategy": "Shadow", "steps": [{"pause": {"seconds": 1}}, {"pause": {}}]}


def copies(gateway: Controller) -> list[str]:
    """The Services that requests are copied to."""
    [rule] = gateway.route("digits")["spec"]["rules"]
    found = [item["requestMirror"] for item in rule.get("filters", []) if item["type"] == "RequestMirror"]
    return [item["backendRef"]["name"] for item in found]


def bring_the_shadow_up(world: World, serving: Serving, gateway: Controller) -> None:
    """Its pods are ready and answer, and get copies. Its weight is 0 with any number of them, so copies tell."""
    world.until(lambda: serving.pods_of("canary"), "a shadow's pod")
    assert copies(gateway) == [], "no copies before it answers"
    serving.bring_the_canary_up("2", weight=0)
    copied = lambda: serving.make_ready("2") or copies(gateway) == ["digits-canary"]  # noqa: E731
    world.until(copied, "requests are copied")


def test_a_shadow_gets_copies_only_and_is_taken_up(world: World, model: str) -> None:
    gateway = Controller(world, MIRRORS)
    serving = canary(world, model, SHADOW, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")
    switch(world, model)
    bring_the_shadow_up(world, serving, gateway)
    assert gateway.shares("digits") == {"digits": 100}
    gateway.says("digits")
    said = serving.until_ready_says("True", "AwaitingResume")
    assert "gets copies of 100 % of the requests and answers no client" in said["message"]
    assert "copies of 100 % to Service digits-canary" in until_split_is(serving, "True", "RouteAccepted")
    assert serving.canary["mirrorPercent"] == 100

    serving.annotate("resume", "2")
    world.until(lambda: copies(gateway) == [], "no more copies")
    gateway.says("digits")
    serving.take_up("2")
    world.until(lambda: not serving.pods_of("canary"), "its pods go")


def test_a_gateway_that_cannot_copy_gets_no_shadow(world: World, model: str) -> None:
    gateway = Controller(world, REWRITES)
    serving = canary(world, model, SHADOW, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    gateway.says("digits")
    switch(world, model)
    said = serving.until_ready_says("True", "ShadowUnsupported")
    assert "version 1 serves; version 2 waits" in said["message"]
    assert MIRRORS in until_split_is(serving, "False", "ShadowUnsupported")
    assert serving.condition("Stalled")["status"] == "True"
    assert (serving.pods_of("canary"), copies(gateway)) == ([], [])
    gateway.support(REWRITES, MIRRORS)
    world.until(lambda: serving.pods_of("canary"), "it begins once the class can do it", 60)


def test_a_gateway_whose_class_lists_nothing_is_vouched_for_by_an_annotation(world: World, model: str) -> None:
    gateway = Controller(world)
    serving = canary(world, model, SHADOW, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    gateway.says("digits")
    switch(world, model)
    said = serving.until_ready_says("True", "ShadowUnsupported")
    assert (
        f"lists nothing, or may not be read; where it is known to, say so with `{gateway.vouching(MIRRORS)}`"
        in said["message"]
    )
    assert (serving.pods_of("canary"), copies(gateway)) == ([], [])
    gateway.is_vouched_for(MIRRORS)
    world.until(lambda: serving.pods_of("canary"), "it begins", 60)


def test_a_settled_route_costs_no_write(world: World, model: str) -> None:
    gateway = Controller(world)
    serving = routed(world, model)
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")
    time.sleep(POLLS_SECONDS)
    mark = world.audit.mark()
    time.sleep(POLLS_SECONDS)
    requests = [item for item in world.audit.since(mark) if item.namespace == world.namespace]
    assert {item.right for item in requests} <= {("get", "gateway.networking.k8s.io", "gateways")}
    assert len(requests) <= 2, "a Gateway is read once in ten seconds, however often an alias is looked at"


SAME = {"name": "same", "builtin": "Disagreement", "max": "0.1"}
KEY = "MODELYARD_ANSWERS_KEY"


def compared(world: World, model: str, gateway: Controller) -> Serving:
    """Serves version 1, with a shadow of version 2 that gets copies and is compared."""
    analysis = {"intervalSeconds": 5, "minSamples": 20, "metrics": [SAME]}
    rollout = SHADOW | {"steps": [{"pause": {"seconds": 1}}], "analysis": analysis}
    serving = canary(world, model, rollout, {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]})
    gateway.says("digits")
    until_split_is(serving, "True", "RouteAccepted")
    switch(world, model)
    bring_the_shadow_up(world, serving, gateway)
    gateway.says("digits")
    return serving


def listen(world: World, serving: Serving, version: str) -> list[Recorder]:
    """The pods of a version tell of their answers, once they are asked."""
    found = [world.servers.listen(ip_of(pod), variable(pod, KEY)) for pod in serving.pods(version)]
    world.until(lambda: all(recorder.is_on() for recorder in found), f"all pods of version {version} are asked")
    return found


def variable(pod: Manifest, name: str) -> str:
    """A variable of a pod's server."""
    found = [item["value"] for item in pod["spec"]["containers"][0]["env"] if item["name"] == name]
    return str(found[0])


def answer(recorders: list[Recorder], others: int = 0) -> None:
    """Each of a hundred requests is answered by one of these pods, so many of them otherwise."""
    for request in range(100):
        predicted = b'{"predictions": [2]}' if request < others else b'{"predictions": [1]}'
        recorders[request % len(recorders)].keep(request.to_bytes(12, "big"), predicted)


@pytest.mark.parametrize(("others", "verdict"), [(5, "Pass"), (50, "Fail")])
def test_a_shadow_that_predicts_otherwise_is_refused(world: World, model: str, others: int, verdict: str) -> None:
    gateway = Controller(world, MIRRORS)
    serving = compared(world, model, gateway)
    stable, shadow = listen(world, serving, "1"), listen(world, serving, "2")
    answer(shadow, others)
    answer(stable)
    found = world.until(lambda: analysed(serving, verdict), f"a check says {verdict}")
    assert found["samples"] == 100
    assert float(found["value"]) == others / 100
    if verdict == "Fail":
        [refused] = serving.status["refusedVersions"]
        assert refused["reason"] == "AnalysisFailed"
        assert "50 of 100 predictions differ from the stable version's: 0.5 is not <= 0.1" in refused["message"]
        assert copies(gateway) == []
    else:
        world.until(lambda: serving.canary.get("phase") == "Promoting", "it goes on")


def test_a_shadow_whose_server_does_not_tell_is_not_passed(world: World, model: str) -> None:
    gateway = Controller(world, MIRRORS)
    serving = compared(world, model, gateway)
    found = world.until(lambda: analysed(serving, "Inconclusive"), "a check")
    assert "does not tell what it predicted" in found["message"]
    assert "needs the model server of this release" in found["message"]
    assert copies(gateway) == ["digits-canary"]


def analysed(serving: Serving, verdict: str) -> dict[str, Any] | None:
    """The last check, once its result is this."""
    [found] = serving.status.get("analysis") or [{}]
    return found if found.get("result") == verdict else None
