"""The HTTPRoute: what a Gateway is told, and what is said of its answer."""

from typing import Any

import pytest

from builders import (
    NOW,
    ModelDeploymentBuilder,
    make_card,
    make_context,
    make_deployment,
    make_model_deployment,
    make_route,
    make_service,
    said_by_gateway,
)
from modelyard.core.gateway import Gateway, Listener, ReadGateway
from modelyard.core.model_card import ReadModelCard
from modelyard.core.model_deployment import route
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.plan import plan
from modelyard.core.plan import Failure, Manifest, Plan
from modelyard.core.serving import AskServer, ReadObject, Ready
from modelyard.core.tracking import RegisteredVersion, ResolveAlias

WEB = Gateway("traefik", ("10.0.0.9",), (Listener("HTTP", 80),), frozenset({"HTTPRoutePathRewrite"}))
ROUTED = make_model_deployment().with_backend("Deployment").with_route()
IN_CLUSTER = "http://digits.team-a:9000/v2/models/model/infer"


class Answers(dict[Any, Any]):
    """Everything is answered in the friendliest way, but what a test says."""

    def __init__(self, gateway: Gateway | Failure | None) -> None:
        super().__init__()
        self.gateway = gateway

    def __contains__(self, question: object) -> bool:
        return True

    def __getitem__(self, question: Any) -> Any:
        given = {
            ResolveAlias: RegisteredVersion("digits", "1", None, None),
            AskServer: Ready(),
            ReadObject: None,
            ReadGateway: self.gateway,
            ReadModelCard: make_card(),
        }
        return given[type(question)]


def planned(
    resource: Manifest, live: Manifest | None, gateway: Gateway | Failure | None = WEB, *, is_served: bool = True
) -> Plan:
    """What is planned while one pod serves."""
    serving = [make_deployment(resource, "1").rolled_out().build(), make_service(resource)]
    objects = (*serving, *([live] if live else []))
    observed = Observed(make_context(), objects=objects, answers=Answers(gateway), is_route_served=is_served)
    return plan(resource, observed, NOW)


def routes(made: Plan) -> list[Manifest]:
    return [item for item in made.apply if item["kind"] == "HTTPRoute"]


def split(made: Plan) -> tuple[str, str, str]:
    assert made.status is not None
    found = next(item for item in made.status["conditions"] if item["type"] == "TrafficSplit")
    return found["status"], found["reason"], found["message"]


def rule_of(builder: ModelDeploymentBuilder) -> dict[str, Any]:
    rule: dict[str, Any] = make_route(builder.build())["spec"]["rules"][0]
    return rule


def answered(resource: Manifest, *parents: Manifest) -> Manifest:
    return make_route(resource) | {"status": {"parents": list(parents)}}


def test_all_requests_of_the_host_go_to_the_service() -> None:
    made = make_route(ROUTED.build())
    assert made["spec"]["hostnames"] == ["digits.example.org"]
    assert made["spec"]["parentRefs"][0]["namespace"] == "infra"
    [rule] = made["spec"]["rules"]
    assert [(ref["name"], ref["port"], ref["weight"]) for ref in rule["backendRefs"]] == [("digits", 9000, 100)]
    assert "filters" not in rule


def test_a_gateway_without_a_namespace_is_in_the_objects_own() -> None:
    made = make_route(ROUTED.with_route(gateway={"name": "web"}).build())
    assert made["spec"]["parentRefs"][0]["namespace"] == "team-a"


def test_a_prefix_is_cut_off_so_that_the_server_finds_its_own_paths() -> None:
    rule = rule_of(ROUTED.with_route(pathPrefix="/team-a/digits"))
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/team-a/digits"}}]
    [rewrite] = rule["filters"]
    assert rewrite["urlRewrite"]["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}


def test_nothing_is_cut_off_where_there_is_nothing_to_cut() -> None:
    assert "filters" not in rule_of(ROUTED.with_route(pathPrefix="/"))


def test_without_a_route_nothing_is_said_of_it() -> None:
    made = planned(make_model_deployment().with_backend("Deployment").build(), None)
    assert made.status is not None
    assert "TrafficSplit" not in {item["type"] for item in made.status["conditions"]}
    assert routes(made) == []
    assert "clusterURL" not in made.status


def test_the_route_is_made_once_something_serves() -> None:
    resource = ROUTED.build()
    observed = Observed(make_context(), objects=(), answers=Answers(WEB))
    assert routes(plan(resource, observed, NOW)) == []
    made = planned(resource, None)
    assert len(routes(made)) == 1
    assert split(made)[:2] == ("Unknown", "RoutePending")


def test_a_route_that_stays_is_not_taken_from_what_lost_its_pods() -> None:
    resource = ROUTED.build()
    observed = Observed(make_context(), objects=(answered(resource, said_by_gateway()),), answers=Answers(WEB))
    made = plan(resource, observed, NOW)
    assert (routes(made), made.delete) == ([], ())


def test_what_is_as_wanted_is_not_applied() -> None:
    resource = ROUTED.build()
    made = planned(resource, answered(resource, said_by_gateway()))
    assert routes(made) == []
    message = "Gateway infra/web sends 100 % to Service digits"
    assert split(made) == ("True", "RouteAccepted", message)


def test_an_edit_of_the_route_does_not_make_what_serves_unready() -> None:
    before = ROUTED.build()
    resource = ROUTED.with_route(hostnames=["other.example.org"]).edited().build()
    made = planned(resource, answered(before, said_by_gateway()))
    assert len(routes(made)) == 1
    assert made.status is not None
    assert made.status["stable"]["version"] == "1"
    assert split(made)[:2] == ("Unknown", "RoutePending")


def test_what_was_said_of_an_earlier_generation_is_no_answer() -> None:
    resource = ROUTED.build()
    live = answered(resource, said_by_gateway())
    live["metadata"]["generation"] = 2
    assert split(planned(resource, live))[:2] == ("Unknown", "RoutePending")


def test_while_a_change_is_taken_in_the_url_stays() -> None:
    before = ROUTED.build()
    resource = ROUTED.with_route(pathPrefix="/digits").edited().build()
    made = planned(resource, answered(before, said_by_gateway()))
    assert split(made)[0] == "Unknown"
    assert made.status is not None
    assert made.status["url"] == "http://digits.example.org/digits/v2/models/model/infer"


def test_what_is_said_of_another_gateway_is_no_answer() -> None:
    resource = ROUTED.build()
    live = answered(resource, said_by_gateway(name="other"), said_by_gateway(namespace="team-a"))
    assert split(planned(resource, live))[:2] == ("Unknown", "RoutePending")


def test_one_of_two_controllers_that_takes_it_is_enough() -> None:
    resource = ROUTED.build()
    live = answered(resource, said_by_gateway(Accepted="False: NoMatchingParent: no"), said_by_gateway())
    assert split(planned(resource, live))[0] == "True"


@pytest.mark.parametrize(
    ("verdicts", "reason", "words"),
    [
        ({"Accepted": "False: NotAllowedByListeners: no"}, "RouteNotAccepted", "allowedRoutes"),
        ({"Accepted": "False: NoMatchingListenerHostname: no"}, "RouteNotAccepted", "spec.route.hostnames"),
        ({"Accepted": "False: Odd: because"}, "RouteNotAccepted", "Odd: because"),
        ({"ResolvedRefs": "False: BackendNotFound: no digits"}, "RouteNotResolved", "no digits"),
    ],
)
def test_a_refusal_is_told_with_its_cure(verdicts: dict[str, str], reason: str, words: str) -> None:
    resource = ROUTED.build()
    made = planned(resource, answered(resource, said_by_gateway(**verdicts)))
    assert split(made)[:2] == ("False", reason)
    assert words in split(made)[2]
    assert any((event.type, event.reason) == ("Warning", reason) for event in made.events)
    assert made.status is not None
    assert made.status["url"] == IN_CLUSTER


def test_a_gateway_that_does_not_exist_is_named() -> None:
    resource = ROUTED.build()
    made = planned(resource, make_route(resource), None)
    assert split(made)[:2] == ("False", "GatewayNotFound")
    assert "Gateway infra/web" in split(made)[2]


def test_a_gateway_that_may_not_be_read_is_judged_by_the_route_alone() -> None:
    resource = ROUTED.with_route(pathPrefix="/digits").build()
    unreadable = Failure("GatewayUnreadable", "forbidden")
    made = planned(resource, answered(resource, said_by_gateway()), unreadable)
    assert split(made)[0] == "True"
    assert made.status is not None
    assert made.status["url"] == IN_CLUSTER


def test_without_gateway_api_the_model_serves_all_the_same() -> None:
    made = planned(ROUTED.build(), None, is_served=False)
    assert split(made)[:2] == ("False", "GatewayAPIMissing")
    assert routes(made) == []
    assert made.status is not None
    assert made.status["stable"]["version"] == "1"


@pytest.mark.parametrize(
    ("prefix", "features", "is_made"),
    [
        ("/digits", frozenset({"HTTPRouteRequestMirror"}), False),
        ("/digits", frozenset({route.PATH_REWRITE}), True),
        ("/digits", None, True),
        ("/", frozenset({"HTTPRouteRequestMirror"}), True),
    ],
)
def test_a_prefix_needs_a_gateway_that_can_cut_it_off(prefix: str, features: frozenset[str], is_made: bool) -> None:
    gateway = Gateway("simple", features=features)
    made = planned(ROUTED.with_route(pathPrefix=prefix).build(), None, gateway)
    assert bool(routes(made)) == is_made
    assert (split(made)[1] == "PathRewriteUnsupported") == (not is_made)


def test_a_route_that_is_no_longer_asked_for_is_deleted() -> None:
    made = planned(make_model_deployment().with_backend("Deployment").build(), make_route(ROUTED.build()))
    assert [(ref.kind, ref.name, ref.uid) for ref in made.delete] == [("HTTPRoute", "digits", "uid-of-httproute")]


def test_somebody_elses_route_of_that_name_is_left_alone() -> None:
    resource = ROUTED.build()
    theirs = make_route(resource)
    theirs["metadata"]["ownerReferences"] = []
    answers = Answers(WEB)
    serving = [make_deployment(resource, "1").rolled_out().build(), make_service(resource)]

    class Theirs(Answers):
        def __getitem__(self, question: Any) -> Any:
            return theirs if isinstance(question, ReadObject) else answers[question]

    made = plan(resource, Observed(make_context(), objects=tuple(serving), answers=Theirs(WEB)), NOW)
    assert made.status is not None
    stalled = next(item for item in made.status["conditions"] if item["type"] == "Stalled")
    assert (stalled["reason"], routes(made)) == ("Conflict", [])
    assert "HTTPRoute digits" in stalled["message"]


HTTP, HTTPS = Listener("HTTP", 80), Listener("HTTPS", 443)


@pytest.mark.parametrize(
    ("fields", "gateway", "expected"),
    [
        ({}, Gateway("a", (), (HTTP,)), "http://digits.example.org"),
        ({}, Gateway("a", (), (HTTP, HTTPS)), "https://digits.example.org"),
        ({}, Gateway("a", (), (Listener("HTTP", 8080),)), "http://digits.example.org:8080"),
        ({}, Gateway("a", (), (HTTP, Listener("HTTPS", 443, "a.com"))), "http://digits.example.org"),
        ({}, Gateway("a", (), (HTTP, Listener("HTTPS", 443, "*.example.org"))), "https://digits.example.org"),
        ({}, Gateway("a", (), (Listener("TCP", 9000),)), None),
        ({}, Gateway("a"), None),
        ({"pathPrefix": "/digits"}, Gateway("a", (), (HTTP,)), "http://digits.example.org/digits"),
        ({"hostnames": None, "pathPrefix": "/d"}, Gateway("a", ("10.0.0.9",), (HTTP,)), "http://10.0.0.9/d"),
        ({"hostnames": ["*.example.org"]}, Gateway("a", ("10.0.0.9",), (HTTP,)), "http://10.0.0.9"),
        ({"hostnames": None, "pathPrefix": "/d"}, Gateway("a", (), (Listener("HTTP", 80, "a.com"),)), "http://a.com/d"),
        ({"hostnames": None, "pathPrefix": "/d"}, Gateway("a", (), (HTTP,)), None),
    ],
)
def test_the_url_names_the_way_through_the_gateway(
    fields: dict[str, Any], gateway: Gateway, expected: str | None
) -> None:
    resource = ROUTED.with_route(**fields).build()
    made = planned(resource, answered(resource, said_by_gateway()), gateway)
    assert made.status is not None
    assert made.status["url"] == (f"{expected}/v2/models/model/infer" if expected else IN_CLUSTER)
    assert made.status["clusterURL"] == IN_CLUSTER


SHADOW = ROUTED.with_spec(rollout={"strategy": "Shadow", "steps": [{"pause": {}}]})


@pytest.mark.parametrize(("percent", "told"), [(100, {}), (10, {"percent": 10})])
def test_copies_go_to_the_canary_besides_the_answers_of_the_stable_one(percent: int, told: dict[str, int]) -> None:
    [rule] = make_route(SHADOW.build(), {"stable": 100}, percent)["spec"]["rules"]
    [mirror] = rule["filters"]
    backend = {"group": "", "kind": "Service", "name": "digits-canary", "port": 9000}
    assert mirror == {"type": "RequestMirror", "requestMirror": {"backendRef": backend, **told}}
    assert [ref["name"] for ref in rule["backendRefs"]] == ["digits"]


@pytest.mark.parametrize(
    ("gateway", "percent", "words"),
    [
        (Gateway("a", features=frozenset({route.MIRROR})), None, ""),
        (Gateway("a", features=frozenset({route.MIRROR})), 100, ""),
        (Gateway("a", features=frozenset({route.MIRROR, route.PERCENTAGE_MIRROR})), 10, ""),
        (Gateway("a", features=frozenset({route.MIRROR})), 10, route.PERCENTAGE_MIRROR),
        (Gateway("a", features=frozenset({route.PATH_REWRITE})), None, route.MIRROR),
        (Gateway("a", features=None), None, f"gateway web modelyard.io/supported-features={route.MIRROR}`"),
        (Gateway("a", features=None), 10, f"features={route.MIRROR},{route.PERCENTAGE_MIRROR}`"),
        (Gateway("a", vouched_for=frozenset({route.MIRROR})), None, ""),
        (Gateway("a", vouched_for=frozenset({route.MIRROR})), 10, route.PERCENTAGE_MIRROR),
        (Gateway("a", vouched_for=frozenset({route.MIRROR, route.PERCENTAGE_MIRROR})), 10, ""),
        # Who lists what it can do is believed, whatever the annotation says.
        (Gateway("a", features=frozenset(), vouched_for=frozenset({route.MIRROR})), None, route.MIRROR),
        (Failure("GatewayUnreadable", "forbidden"), None, "forbidden"),
    ],
)
def test_a_shadow_needs_a_gateway_that_says_it_can_copy(
    gateway: Gateway | Failure, percent: int | None, words: str
) -> None:
    rollout = {"strategy": "Shadow", "steps": [{"pause": {}}]} | ({"mirrorPercent": percent} if percent else {})
    resource = ROUTED.with_spec(rollout=rollout).build()
    said = split(planned(resource, answered(resource, said_by_gateway()), gateway))
    assert said[:2] == (("False", "ShadowUnsupported") if words else ("True", "RouteAccepted"))
    assert words in said[2]
