"""The HTTPRoute of a ModelDeployment: what a Gateway is told to do, and whether it does."""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.api.route import Route
from modelyard.core import metadata
from modelyard.core.conditions import Condition
from modelyard.core.gateway import Gateway, Listener, ReadGateway
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.applying import apply_if_needed
from modelyard.core.model_deployment.backend import own
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef

API_VERSION, KIND = "gateway.networking.k8s.io/v1", "HTTPRoute"
PATH_REWRITE = "HTTPRoutePathRewrite"
"""What Gateway API calls the feature that a prefix needs."""

_CURES = {
    "NotAllowedByListeners": "have the Gateway's spec.listeners[].allowedRoutes admit routes of this namespace",
    "NoMatchingListenerHostname": "have spec.route.hostnames fit a listener of the Gateway",
    "NoMatchingParent": "have spec.route.gateway name a Gateway with an HTTP or HTTPS listener",
    "BackendNotFound": "the Service is on its way, or somebody deleted it",
}
_DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}


def render(resource: Manifest, spec: ModelDeploymentSpec, weights: Mapping[str, int]) -> list[Manifest]:
    """The HTTPRoute that sends each predictor its percent of the requests; none without spec.route."""
    if spec.route is None:
        return []
    name = metadata.service_name(resource)
    return [
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": metadata.child_metadata(resource, name),
            "spec": {
                "parentRefs": [_parent(resource, spec.route)],
                **({"hostnames": spec.route.hostnames} if spec.route.hostnames else {}),
                "rules": [_rule(resource, spec.route, weights)],
            },
        }
    ]


def settle(draft: Draft, weights: Mapping[str, int]) -> None:
    """Have the Gateway send each predictor its percent, and say in TrafficSplit whether it does.

    No weights: no predictor is ready, and the Gateway is told nothing new.

    Raises:
        Stalled: an HTTPRoute of that name belongs to someone else.
    """
    live = own(KIND, draft.resource, draft.observed)
    draft.status["url"] = draft.server_url + pod.INFER_PATH
    if draft.spec.route is None:
        _take_away(draft, live)
        return
    draft.status["clusterURL"] = draft.status["url"]
    if not draft.observed.is_route_served:
        _not_split(
            draft,
            "GatewayAPIMissing",
            f"this cluster does not know {KIND} ({API_VERSION}): install Gateway API's CRDs and a gateway, "
            "or remove spec.route",
        )
    else:
        _route(draft, draft.spec.route, live, weights)


def _route(draft: Draft, route: Route, live: Manifest | None, weights: Mapping[str, int]) -> None:
    """Tell the Gateway, and see what became of it."""
    gateway = draft.ask(ReadGateway(_namespace(draft.resource, route), route.gateway.name))
    if _cuts_off(route) and isinstance(gateway, Gateway) and PATH_REWRITE not in (gateway.features or {PATH_REWRITE}):
        _not_split(
            draft,
            "PathRewriteUnsupported",
            f"{_name_of(draft.resource, route)} cannot cut off spec.route.pathPrefix {route.path_prefix}: its class "
            f"{gateway.class_name} does not list {PATH_REWRITE}; use hostnames without a pathPrefix",
        )
        return
    applied = len(draft.apply)
    if weights:
        for manifest in render(draft.resource, draft.spec, weights):
            draft.is_rerouted |= apply_if_needed(draft, manifest)
    if live is None and not weights:
        draft.conditions.unknown("TrafficSplit", "Progressing", "the HTTPRoute is made once a predictor is ready")
    elif live is None or len(draft.apply) > applied:
        _pending(draft, route, live, gateway)
    else:
        _judge(draft, route, live, gateway)


def _judge(draft: Draft, route: Route, live: Manifest, gateway: Gateway | Failure | None) -> None:
    """Say what the Gateway's controller says of the HTTPRoute as it is now."""
    generation = live["metadata"].get("generation") or 0
    accepted, resolved = (_said(draft, route, live, kind, generation) for kind in ("Accepted", "ResolvedRefs"))
    if accepted is None and gateway is None:
        name = _name_of(draft.resource, route)
        _not_split(draft, "GatewayNotFound", f"spec.route.gateway: there is no {name}: make it, or name another")
    elif accepted is None:
        _pending(draft, route, live, gateway)
    elif accepted["status"] != "True":
        _not_split(draft, "RouteNotAccepted", f"{_name_of(draft.resource, route)} refuses: {_with_cure(accepted)}")
    elif resolved and resolved["status"] == "False":
        _not_split(draft, "RouteNotResolved", f"{_name_of(draft.resource, route)}: {_with_cure(resolved)}")
    else:
        _split(draft, route, live, gateway)


def _split(draft: Draft, route: Route, live: Manifest, gateway: Gateway | Failure | None) -> None:
    """The Gateway does as told: say how it splits, and the way through it."""
    shares = [f"{ref.get('weight', 1)} % to Service {ref['name']}" for ref in live["spec"]["rules"][0]["backendRefs"]]
    message = f"{_name_of(draft.resource, route)} sends {' and '.join(shares)}"
    draft.conditions.true("TrafficSplit", "RouteAccepted", message)
    _name_the_way(draft, route, gateway)


def _name_the_way(draft: Draft, route: Route, gateway: Gateway | Failure | None) -> None:
    """Have status.url lead through the Gateway, where that tells enough of itself."""
    address = _address(route, gateway) if isinstance(gateway, Gateway) else None
    if address:
        prefix = route.path_prefix if _cuts_off(route) else ""
        draft.status["url"] = f"{address}{prefix}{pod.INFER_PATH}"


def _take_away(draft: Draft, live: Manifest | None) -> None:
    """No way in is asked for."""
    draft.conditions.drop("TrafficSplit")
    draft.status.pop("clusterURL", None)
    if live is not None:
        meta = live["metadata"]
        draft.delete.append(ObjectRef(API_VERSION, KIND, draft.namespace, meta["name"], meta["uid"]))


def _not_split(draft: Draft, reason: str, message: str) -> None:
    """Requests do not come in as asked for; what reaches the Service itself is answered all the same."""
    draft.conditions.false("TrafficSplit", reason, message)
    draft.events.append(Event(reason, message, "Warning"))


def _pending(draft: Draft, route: Route, live: Manifest | None, gateway: Gateway | Failure | None) -> None:
    """The controller has not answered to the HTTPRoute as it is now; the way through an earlier one stays open."""
    name = _name_of(draft.resource, route)
    draft.conditions.unknown("TrafficSplit", "RoutePending", f"{name} has not answered to the HTTPRoute yet")
    earlier = _said(draft, route, live, "Accepted", 0) if live else None
    if earlier and earlier["status"] == "True":
        _name_the_way(draft, route, gateway)


def _said(draft: Draft, route: Route, live: Manifest, kind: str, generation: int) -> Condition | None:
    """What the controller said since this generation, the good word first where several controllers spoke."""
    wanted = (route.gateway.name, _namespace(draft.resource, route))
    found = [
        condition
        for parent in (live.get("status") or {}).get("parents") or []
        if (parent["parentRef"].get("name"), parent["parentRef"].get("namespace", draft.namespace)) == wanted
        for condition in parent.get("conditions") or []
        if condition["type"] == kind and (condition.get("observedGeneration") or 0) >= generation
    ]
    return min(found, key=lambda condition: condition["status"] != "True", default=None)


def _with_cure(condition: Condition) -> str:
    """Its words, and what to do about them where that is known."""
    reason = condition.get("reason") or ""
    said = f"{reason}: {condition.get('message') or 'no message'}"
    return f"{said}; {_CURES[reason]}" if reason in _CURES else said


def _parent(resource: Manifest, route: Route) -> dict[str, str]:
    """The Gateway, as an HTTPRoute names it."""
    return {
        "group": API_VERSION.partition("/")[0],
        "kind": "Gateway",
        "name": route.gateway.name,
        "namespace": _namespace(resource, route),
    }


def _rule(resource: Manifest, route: Route, weights: Mapping[str, int]) -> dict[str, Any]:
    """The one rule: which requests, without their prefix, to which Services."""
    matches = [{"path": {"type": "PathPrefix", "value": route.path_prefix or "/"}}]
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    filters = [{"type": "URLRewrite", "urlRewrite": rewrite}] if _cuts_off(route) else []
    services = {STABLE: metadata.service_name(resource), CANARY: metadata.canary_service_name(resource)}
    backends = [
        {"group": "", "kind": "Service", "name": services[predictor], "port": pod.HTTP_PORT, "weight": weight}
        for predictor, weight in weights.items()
    ]
    return {"matches": matches, **({"filters": filters} if filters else {}), "backendRefs": backends}


def _cuts_off(route: Route) -> bool:
    """Whether a prefix has to go before the server sees the request."""
    return route.path_prefix not in (None, "/")


def _namespace(resource: Manifest, route: Route) -> str:
    """The Gateway's namespace."""
    return route.gateway.namespace or str(resource["metadata"]["namespace"])


def _name_of(resource: Manifest, route: Route) -> str:
    """The Gateway in a sentence."""
    return f"Gateway {_namespace(resource, route)}/{route.gateway.name}"


def _address(route: Route, gateway: Gateway) -> str | None:
    """Scheme, host and port of the way in, where the Gateway tells enough of it."""
    listener = _listener(route, gateway)
    if listener is None:
        return None
    names = [*(route.hostnames or []), listener.hostname, *gateway.addresses]
    host = next((name for name in names if name and not name.startswith("*")), None)
    port = "" if listener.port == _DEFAULT_PORTS[listener.protocol] else f":{listener.port}"
    return f"{listener.protocol.lower()}://{host}{port}" if host else None


def _listener(route: Route, gateway: Gateway) -> Listener | None:
    """The listener that takes the route; with TLS rather than without."""
    fitting = [
        listener
        for listener in gateway.listeners
        if listener.protocol in _DEFAULT_PORTS and _takes(listener.hostname, route.hostnames or [""])
    ]
    return min(fitting, key=lambda listener: listener.protocol != "HTTPS", default=None)


def _takes(hostname: str, wanted: list[str]) -> bool:
    """Whether a listener with this hostname takes one of the hosts."""
    return any(not hostname or not host or _fits(hostname, host) for host in wanted)


def _fits(hostname: str, host: str) -> bool:
    """Whether one is the other, or of its domain where that begins with a star."""
    return host == hostname or (hostname.startswith("*.") and host.endswith(hostname[1:]))
