"""Whether requests are split between the predictors as they should be: by a Gateway, or by the number of pods."""

from collections.abc import Mapping, Sequence

from modelyard.api.route import Route
from modelyard.core.conditions import Condition
from modelyard.core.gateway import VOUCHED_FOR, Gateway, ReadGateway
from modelyard.core.model_deployment import route
from modelyard.core.model_deployment.applying import apply_if_needed
from modelyard.core.model_deployment.backend import Servers, own
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef
from modelyard.core.pod_state import Trouble

CONDITION = "TrafficSplit"
PENDING = "RoutePending"
_CURES = {
    "NotAllowedByListeners": "have the Gateway's spec.listeners[].allowedRoutes admit routes of this namespace",
    "NoMatchingListenerHostname": "have spec.route.hostnames fit a listener of the Gateway",
    "NoMatchingParent": "have spec.route.gateway name a Gateway with an HTTP or HTTPS listener",
    "BackendNotFound": "the Service is on its way, or somebody deleted it",
}


def weights_of_service(draft: Draft, layout: Layout) -> Mapping[str, int]:
    """Whose pods the Service for clients selects: with a Gateway that splits, the stable ones alone."""
    return {STABLE: 100} if is_by_gateway(draft) else layout.weights


def is_by_gateway(draft: Draft) -> bool:
    """Whether it is a Gateway that splits."""
    return draft.spec.route is not None and _obstacle(draft) is None


def refusal(draft: Draft) -> Trouble | None:
    """Why no share of the traffic may go to a canary, as the spec asks; None where it may."""
    if draft.spec.rollout.strategy == "Shadow":
        return _refusal_to_copy(draft)
    if is_by_gateway(draft) or draft.spec.rollout.without_route == "SplitReplicas":
        return None
    cure = "or set spec.rollout.withoutRoute to SplitReplicas, to split by the number of pods"
    why = _obstacle(draft) or Trouble("NoRoute", "only a Gateway splits by weight: set spec.route")
    return Trouble(why.reason, f"{why.message}, {cure}")


def _refusal_to_copy(draft: Draft) -> Trouble | None:
    """Why no Gateway copies requests: controllers take routes that ask for it though they cannot do it."""
    wanted = draft.spec.route
    if wanted is None:
        return Trouble("NoRoute", "a Shadow needs spec.route: it is a Gateway that copies the requests")
    obstacle = _obstacle(draft)
    gateway = None if obstacle else _gateway(draft, wanted)
    if isinstance(gateway, Failure):
        return Trouble("ShadowUnsupported", f"whether requests can be copied is not known: {gateway.message}")
    if gateway is None:
        return obstacle
    is_partial = (draft.spec.rollout.mirror_percent or 100) < 100
    needed = (route.MIRROR, *([route.PERCENTAGE_MIRROR] if is_partial else []))
    missing = next((feature for feature in needed if not gateway.has(feature)), None)
    if missing is None:
        return None
    message = f"{_name(draft, wanted)} does not say that it can copy requests: {_missing(gateway, missing)}"
    return Trouble("ShadowUnsupported", f"{message}; {_cure_of_missing(draft, wanted, gateway, needed, missing)}")


def _missing(gateway: Gateway, feature: str) -> str:
    """Where a feature was looked for."""
    listed = "lists nothing, or may not be read" if gateway.features is None else f"does not list {feature}"
    return f"status.supportedFeatures of its class {gateway.class_name} {listed}"


def _cure_of_missing(draft: Draft, wanted: Route, gateway: Gateway, needed: Sequence[str], missing: str) -> str:
    """What can be done about it; an annotation counts only where the class says nothing itself."""
    other = "another Gateway" if missing == route.MIRROR else "no spec.rollout.mirrorPercent"
    use = f"use {other}, or strategy Canary"
    if gateway.features is not None:
        return use
    command = f"kubectl annotate --overwrite -n {route.gateway_namespace(draft.resource, wanted)}"
    vouch = f"{command} gateway {wanted.gateway.name} {VOUCHED_FOR}={','.join(needed)}"
    return f"where it is known to, say so with `{vouch}`; or {use}"


def not_in_effect(draft: Draft) -> Trouble | None:
    """What keeps the Gateway from splitting as it was told last; None where it does, or where none is to."""
    said = draft.conditions.get(CONDITION)
    if said is None or said["status"] == "True" or not is_by_gateway(draft):
        return None
    return Trouble(said["reason"], said["message"])


def is_being_told(draft: Draft) -> bool:
    """Whether the Gateway still does what it was told before, and will hear of something else."""
    live = own(route.KIND, draft.resource, draft.observed)
    said = draft.conditions.get(CONDITION) or {}
    wanted = draft.spec.route
    return bool(live and wanted and said.get("reason") == PENDING and _was_accepted(draft, wanted, live))


def settle(draft: Draft, layout: Layout, servers: Servers) -> None:
    """Have the requests split as the layout says, and say in TrafficSplit whether they are.

    While no predictor is ready, the Gateway is told nothing new.

    Raises:
        Stalled: an HTTPRoute of that name belongs to someone else.
    """
    draft.is_rerouted = False
    live = own(route.KIND, draft.resource, draft.observed)
    draft.status["url"] = draft.server_url + draft.predict_path
    if draft.spec.route is None:
        _take_away(draft, live)
        _tell_of_replicas(draft, layout, servers)
        return
    draft.status["clusterURL"] = draft.status["url"]
    obstacle = _obstacle(draft)
    if obstacle:
        _not_split(draft, obstacle.reason, obstacle.message + _by_replicas(layout, servers))
    else:
        is_ready = servers.stable.available or (servers.canary and servers.canary.available)
        _route(draft, draft.spec.route, live, layout if is_ready else None)
        unfit = refusal(draft)
        if unfit:
            _not_split(draft, unfit.reason, unfit.message)


def _obstacle(draft: Draft) -> Trouble | None:
    """Why the route that is asked for cannot be made."""
    wanted = draft.spec.route
    if wanted is None:
        return None
    if not draft.observed.is_route_served:
        return Trouble(
            "GatewayAPIMissing",
            f"this cluster does not know {route.KIND} ({route.API_VERSION}): install Gateway API's CRDs and a "
            "gateway, or remove spec.route",
        )
    gateway = _gateway(draft, wanted)
    if route.cuts_off(wanted) and isinstance(gateway, Gateway) and gateway.lacks(route.PATH_REWRITE):
        return Trouble(
            "PathRewriteUnsupported",
            f"{_name(draft, wanted)} cannot cut off spec.route.pathPrefix {wanted.path_prefix}: its class "
            f"{gateway.class_name} does not list {route.PATH_REWRITE}; use hostnames without a pathPrefix",
        )
    return None


def _route(draft: Draft, wanted: Route, live: Manifest | None, layout: Layout | None) -> None:
    """Tell the Gateway, and see what became of it; without a layout nothing new is told."""
    applied = len(draft.apply)
    if layout:
        for manifest in route.render(draft.resource, draft.spec, layout.weights, layout.mirror_percent):
            draft.is_rerouted |= apply_if_needed(draft, manifest)
    if live is None and layout is None:
        draft.conditions.unknown(CONDITION, "Progressing", "the HTTPRoute is made once a predictor is ready")
    elif live is None or len(draft.apply) > applied:
        _pending(draft, wanted, live)
    else:
        _judge(draft, wanted, live)


def _judge(draft: Draft, wanted: Route, live: Manifest) -> None:
    """Say what the Gateway's controller says of the HTTPRoute as it is now."""
    generation = live["metadata"].get("generation") or 0
    accepted, resolved = (_said(draft, wanted, live, kind, generation) for kind in ("Accepted", "ResolvedRefs"))
    name = _name(draft, wanted)
    if accepted is None and _gateway(draft, wanted) is None:
        _not_split(draft, "GatewayNotFound", f"spec.route.gateway: there is no {name}: make it, or name another")
    elif accepted is None:
        _pending(draft, wanted, live)
    elif accepted["status"] != "True":
        _not_split(draft, "RouteNotAccepted", f"{name} refuses: {_with_cure(accepted)}")
    elif resolved and resolved["status"] == "False":
        _not_split(draft, "RouteNotResolved", f"{name}: {_with_cure(resolved)}")
    else:
        _split(draft, wanted, live)


def _split(draft: Draft, wanted: Route, live: Manifest) -> None:
    """The Gateway does as told: say how it splits, and the way through it."""
    rule = live["spec"]["rules"][0]
    shares = [f"{ref.get('weight', 1)} % to Service {ref['name']}" for ref in rule["backendRefs"]]
    copies = [item["requestMirror"] for item in rule.get("filters") or [] if item["type"] == "RequestMirror"]
    shares += [f"copies of {copy.get('percent', 100)} % to Service {copy['backendRef']['name']}" for copy in copies]
    draft.conditions.true(CONDITION, "RouteAccepted", f"{_name(draft, wanted)} sends {' and '.join(shares)}")
    _name_the_way(draft, wanted)


def _name_the_way(draft: Draft, wanted: Route) -> None:
    """Have status.url lead through the Gateway, where that tells enough of itself."""
    gateway = _gateway(draft, wanted)
    url = route.address(wanted, gateway) if isinstance(gateway, Gateway) else None
    if url:
        draft.status["url"] = url + draft.predict_path


def _take_away(draft: Draft, live: Manifest | None) -> None:
    """No way in is asked for."""
    draft.status.pop("clusterURL", None)
    if live is not None:
        meta = live["metadata"]
        draft.delete.append(ObjectRef(route.API_VERSION, route.KIND, draft.namespace, meta["name"], meta["uid"]))


def _tell_of_replicas(draft: Draft, layout: Layout, servers: Servers) -> None:
    """Without a Gateway pods alone split: nothing to tell of where there is nothing to split."""
    if draft.spec.rollout.strategy == "RollingUpdate":
        draft.conditions.drop(CONDITION)
        return
    message = "without spec.route a canary's share is that of its pods"
    draft.conditions.false(CONDITION, "NoRoute", message + _by_replicas(layout, servers))


def _by_replicas(layout: Layout, servers: Servers) -> str:
    """What the number of ready pods makes of the share that is asked for."""
    asked = layout.weights.get(CANARY)
    canary = servers.canary.available if servers.canary else 0
    ready = servers.stable.available + canary
    if not asked or not ready:
        return ""
    return f": {asked} % is asked for, {canary} of {ready} ready pods ({100 * canary / ready:.0f} %) are the canary's"


def _not_split(draft: Draft, reason: str, message: str) -> None:
    """Requests do not come in as asked for; what reaches the Service itself is answered all the same."""
    draft.conditions.false(CONDITION, reason, message)
    draft.events.append(Event(reason, message, "Warning"))


def _pending(draft: Draft, wanted: Route, live: Manifest | None) -> None:
    """The controller has not answered to the HTTPRoute as it is now; the way through an earlier one stays open."""
    message = f"{_name(draft, wanted)} has not answered to the HTTPRoute yet"
    draft.conditions.unknown(CONDITION, PENDING, message)
    if live and _was_accepted(draft, wanted, live):
        _name_the_way(draft, wanted)


def _was_accepted(draft: Draft, wanted: Route, live: Manifest) -> bool:
    """Whether the Gateway took this HTTPRoute, or what it was before."""
    earlier = _said(draft, wanted, live, "Accepted", 0)
    return earlier is not None and earlier["status"] == "True"


def _said(draft: Draft, wanted: Route, live: Manifest, kind: str, generation: int) -> Condition | None:
    """What the controller said since this generation, the good word first where several controllers spoke."""
    parent = (wanted.gateway.name, route.gateway_namespace(draft.resource, wanted))
    found = [
        condition
        for status in (live.get("status") or {}).get("parents") or []
        if (status["parentRef"].get("name"), status["parentRef"].get("namespace", draft.namespace)) == parent
        for condition in status.get("conditions") or []
        if condition["type"] == kind and (condition.get("observedGeneration") or 0) >= generation
    ]
    return min(found, key=lambda condition: condition["status"] != "True", default=None)


def _with_cure(condition: Condition) -> str:
    """Its words, and what to do about them where that is known."""
    reason = condition.get("reason") or ""
    said = f"{reason}: {condition.get('message') or 'no message'}"
    return f"{said}; {_CURES[reason]}" if reason in _CURES else said


def _gateway(draft: Draft, wanted: Route) -> Gateway | Failure | None:
    """The Gateway as it was read some seconds ago."""
    found: Gateway | Failure | None = draft.ask(
        ReadGateway(route.gateway_namespace(draft.resource, wanted), wanted.gateway.name)
    )
    return found


def _name(draft: Draft, wanted: Route) -> str:
    """The Gateway in a sentence."""
    return route.gateway_name(draft.resource, wanted)
