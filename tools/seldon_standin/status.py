"""The next status of a SeldonDeployment and the children left over. Pure; as blind as the real manager.

It never writes observedGeneration, believes a Deployment's numbers without asking for which generation they are, and
calls an update that cannot get ready `Creating` for as long as the old pod is available.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.seldon_standin.render import Manifest, address, render_deployments, service_status

_NOTHING_TO_WAIT_FOR = {
    "HpasReady": "No HPAs defined",
    "KedaReady": "No KEDA resources defined",
    "PdbsReady": "No PDBs defined",
}
# Set only once everything is ready; the misspelling is Seldon's.
_ROUTES = {
    "AmbassadorMappingsReady": "No Ambassador Mappaings defined",  # codespell:ignore mappaings
    "istioVirtualServicesReady": "No VirtualServices defined",
}


@dataclass(frozen=True)
class Observed:
    """The children that exist, by name, and the (kind, name) of those that this pass created or changed."""

    deployments: Mapping[str, Manifest]
    services: Mapping[str, Manifest]
    changed: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """The status to write and the (kind, name) of the children to delete."""

    status: Manifest
    departing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Readiness:
    """The children taken together; `condition` is that of the Deployment that decided."""

    deployments_are_ready: bool
    services_are_ready: bool
    has_failed: bool
    condition: Manifest | None

    @property
    def is_available(self) -> bool:
        return self.deployments_are_ready and self.services_are_ready


def next_outcome(sdep: Manifest, observed: Observed, now: str) -> Outcome:
    """The status and clean-up that follow from what exists; `now` is the RFC 3339 time of a changed condition."""
    status = copy.deepcopy(sdep.get("status") or {})
    _record_services(status, sdep, observed)
    _record_deployments(status, sdep, observed)
    readiness = _readiness(sdep, observed)
    departing = _departing(status, sdep, observed) if readiness.deployments_are_ready else ()
    _set_conditions(status, readiness, now)
    _set_state(status, readiness)
    return Outcome(status, departing)


def failed(sdep: Manifest, description: str) -> Manifest:
    """The status after an error: the rest of it stays as it was."""
    return {**(sdep.get("status") or {}), "state": "Failed", "description": description}


def says_the_same(left: Manifest, right: Manifest) -> bool:
    """Whether two statuses differ in nothing but the times of their conditions."""
    return _without_times(left) == _without_times(right)


def _without_times(status: Manifest) -> Manifest:
    conditions = [{k: v for k, v in c.items() if k != "lastTransitionTime"} for c in status.get("conditions", [])]
    return {**status, "conditions": conditions}


# Numbers and endpoints


def _record_services(status: Manifest, sdep: Manifest, observed: Observed) -> None:
    unchanged = [n for n in service_status(sdep) if n in observed.services and ("Service", n) not in observed.changed]
    if unchanged:
        status["address"] = {"url": address(sdep)}
    for name in unchanged:
        # Written once and never corrected, like the real one.
        status.setdefault("serviceStatus", {}).setdefault(name, service_status(sdep)[name])


def _record_deployments(status: Manifest, sdep: Manifest, observed: Observed) -> None:
    names = [deployment["metadata"]["name"] for deployment in render_deployments(sdep)]
    for name in names:
        found = _settled(name, observed)
        if found is None:
            continue
        counts = _counts(found)
        if counts == status.get("deploymentStatus", {}).get(name, {}):
            continue
        status.setdefault("deploymentStatus", {})[name] = counts
        if name == names[0]:
            status.pop("replicas", None)
            status.update({"replicas": counts["replicas"]} if "replicas" in counts else {})


def _settled(name: str, observed: Observed) -> Manifest | None:
    return None if ("Deployment", name) in observed.changed else observed.deployments.get(name)


def _counts(deployment: Manifest) -> Manifest:
    found = deployment.get("status", {})
    return {field: found[field] for field in ("replicas", "availableReplicas") if found.get(field)}


# Readiness


def _readiness(sdep: Manifest, observed: Observed) -> _Readiness:
    is_ready, has_failed, condition = True, False, None
    for rendered in render_deployments(sdep):
        found = _settled(rendered["metadata"]["name"], observed)
        if found is None:
            is_ready = False
        elif not _has_only_ready_pods(found):
            if is_ready:
                condition = _condition(found, "Available")
                has_failed = _is_false(condition) and _is_false(_condition(found, "Progressing"))
            is_ready = False
        elif is_ready:
            condition = _later(condition, _condition(found, "Available"))
    services_are_ready = all(kind != "Service" for kind, _ in observed.changed)
    return _Readiness(is_ready, services_are_ready, has_failed, condition)


def _has_only_ready_pods(deployment: Manifest) -> bool:
    found = deployment.get("status", {})
    return bool(found.get("readyReplicas")) and not found.get("unavailableReplicas")


def _condition(deployment: Manifest, kind: str) -> Manifest | None:
    conditions = deployment.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), None)


def _is_false(condition: Manifest | None) -> bool:
    return condition is not None and condition["status"] == "False"


def _later(left: Manifest | None, right: Manifest | None) -> Manifest | None:
    if left is None or right is None:
        return left or right
    return right if right.get("lastTransitionTime", "") > left.get("lastTransitionTime", "") else left


# What is left over


def _departing(status: Manifest, sdep: Manifest, observed: Observed) -> tuple[tuple[str, str], ...]:
    """Children of predictors that are gone. Only asked when all others are ready; Services go a pass after the pods."""
    wanted = {deployment["metadata"]["name"] for deployment in render_deployments(sdep)}
    recorded = status.get("deploymentStatus", {})
    for name in [n for n in recorded if n not in wanted | set(observed.deployments)]:
        del recorded[name]
    deployments = [name for name in observed.deployments if name not in wanted]
    if deployments:
        return tuple(("Deployment", name) for name in deployments)
    unused = [name for name in observed.services if name not in service_status(sdep)]
    for name in [n for n in status.get("serviceStatus", {}) if n not in service_status(sdep)]:
        del status["serviceStatus"][name]
    return tuple(("Service", name) for name in unused)


# Conditions and state


def _set_state(status: Manifest, readiness: _Readiness) -> None:
    status.pop("description", None)
    if readiness.is_available:
        status["state"] = "Available"
    elif readiness.has_failed:
        status["state"] = "Failed"
        status["description"] = "Deployment is no longer progressing and not available."
    else:
        status["state"] = "Creating"


def _set_conditions(status: Manifest, readiness: _Readiness, now: str) -> None:
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
    for told in _conditions(readiness, conditions):
        new = {field: text for field, text in told.items() if text}
        old = {field: text for field, text in conditions.get(told["type"], {}).items() if field != "lastTransitionTime"}
        if new != old:
            conditions[told["type"]] = {**new, "lastTransitionTime": now}
    status["conditions"] = sorted(conditions.values(), key=lambda condition: str(condition["type"]))


def _conditions(readiness: _Readiness, known: Mapping[str, Manifest]) -> Iterator[Manifest]:
    """Each condition that this pass has something to say about; `known` is what earlier ones said."""
    for kind, reason in _NOTHING_TO_WAIT_FOR.items():
        yield _told(kind, "True", reason)
    if readiness.deployments_are_ready:
        for kind, reason in _ROUTES.items():
            yield _told(kind, "True", reason)
    if readiness.condition:
        yield _deployments_ready(readiness.condition)
    if readiness.is_available:
        yield _told("ServicesReady", "True", "All services created")
        yield _told("Ready", "True")
        return
    services = _told("ServicesReady", "False", "Not all services created")
    yield services
    deployments = _deployments_ready(readiness.condition) if readiness.condition else known.get("DeploymentsReady")
    blamed = deployments if deployments and _is_false(deployments) else services
    yield _told("Ready", "False", blamed.get("reason", ""), blamed.get("message", ""))


def _deployments_ready(condition: Manifest) -> Manifest:
    """Seldon passes on the condition `Available` of a Deployment, also where its pods are only the old ones."""
    return _told("DeploymentsReady", condition["status"], condition.get("reason", ""), condition.get("message", ""))


def _told(kind: str, value: str, reason: str = "", message: str = "") -> Manifest:
    return {"type": kind, "status": value, "reason": reason, "message": message}
