"""The HTTPRoute of a ModelDeployment: what a Gateway is told to do, and where it is reached."""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.api.route import Route
from modelyard.core import metadata
from modelyard.core.gateway import Gateway, Listener
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.model_deployment.protocol import HTTP_PORT
from modelyard.core.plan import Manifest

API_VERSION, KIND = "gateway.networking.k8s.io/v1", "HTTPRoute"
PATH_REWRITE = "HTTPRoutePathRewrite"
"""What Gateway API calls the feature that a prefix needs."""
MIRROR, PERCENTAGE_MIRROR = "HTTPRouteRequestMirror", "HTTPRouteRequestPercentageMirror"
"""What it calls copying requests, and copying some of them."""

_DEFAULT_PORTS = {"HTTP": 80, "HTTPS": 443}


def render(
    resource: Manifest, spec: ModelDeploymentSpec, weights: Mapping[str, int], mirror_percent: int = 0
) -> list[Manifest]:
    """The HTTPRoute that sends each predictor its percent, and the canary its copies; none without spec.route."""
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
                "rules": [_rule(resource, spec.route, weights, mirror_percent)],
            },
        }
    ]


def _parent(resource: Manifest, route: Route) -> dict[str, str]:
    """The Gateway, as an HTTPRoute names it."""
    return {
        "group": API_VERSION.partition("/")[0],
        "kind": "Gateway",
        "name": route.gateway.name,
        "namespace": gateway_namespace(resource, route),
    }


def _rule(resource: Manifest, route: Route, weights: Mapping[str, int], mirror_percent: int) -> dict[str, Any]:
    """The one rule: which requests, without their prefix, to which Services."""
    matches = [{"path": {"type": "PathPrefix", "value": route.path_prefix or "/"}}]
    filters = [*_rewriting(route), *_mirroring(resource, mirror_percent)]
    services = {STABLE: metadata.service_name(resource), CANARY: metadata.canary_service_name(resource)}
    backends = [
        {"group": "", "kind": "Service", "name": services[predictor], "port": HTTP_PORT, "weight": weight}
        for predictor, weight in weights.items()
    ]
    return {"matches": matches, **({"filters": filters} if filters else {}), "backendRefs": backends}


def _rewriting(route: Route) -> list[dict[str, Any]]:
    """What cuts a prefix off."""
    path = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    return [{"type": "URLRewrite", "urlRewrite": path}] if cuts_off(route) else []


def _mirroring(resource: Manifest, percent: int) -> list[dict[str, Any]]:
    """What sends copies to the canary."""
    name = metadata.canary_service_name(resource)
    backend = {"backendRef": {"group": "", "kind": "Service", "name": name, "port": HTTP_PORT}}
    share = {"percent": percent} if percent < 100 else {}
    return [{"type": "RequestMirror", "requestMirror": backend | share}] if percent else []


def cuts_off(route: Route) -> bool:
    """Whether a prefix has to go before the server sees the request."""
    return route.path_prefix not in (None, "/")


def gateway_namespace(resource: Manifest, route: Route) -> str:
    """The Gateway's namespace."""
    return route.gateway.namespace or str(resource["metadata"]["namespace"])


def gateway_name(resource: Manifest, route: Route) -> str:
    """The Gateway in a sentence."""
    return f"Gateway {gateway_namespace(resource, route)}/{route.gateway.name}"


def address(route: Route, gateway: Gateway) -> str | None:
    """The URL that the model's own paths follow, where the Gateway tells enough of itself."""
    listener = _listener(route, gateway)
    if listener is None:
        return None
    names = [*(route.hostnames or []), listener.hostname, *gateway.addresses]
    host = next((name for name in names if name and not name.startswith("*")), None)
    prefix = route.path_prefix if cuts_off(route) else ""
    port = "" if listener.port == _DEFAULT_PORTS[listener.protocol] else f":{listener.port}"
    return f"{listener.protocol.lower()}://{host}{port}{prefix}" if host else None


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
