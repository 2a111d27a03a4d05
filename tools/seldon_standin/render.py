"""What a SeldonDeployment becomes: its Deployments and Services, as Seldon Core 1.17.1 was recorded to make. Pure."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]

API_VERSION = "machinelearning.seldon.io/v1"
KIND = "SeldonDeployment"
LABEL_SDEP = "seldon-deployment-id"
LABEL_APP = "seldon-app"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "seldon-core"
NO_ENGINE = "seldon.io/no-engine"
SVC_NAME = "seldon.io/svc-name"
METRICS_PATH = "/prometheus"
PREDICTION_PATHS = {
    "v2": "/v2/models/{node}/infer",
    "kfserving": "/v2/models/{node}/infer",
    "seldon": "/api/v1.0/predictions",
}
"""Where each protocol is asked, all that it changes. The last is from Seldon's source: it was never recorded."""
NAME_LIMIT = 63


@dataclass(frozen=True)
class Ports:
    """The ports a model container listens on."""

    http: int
    grpc: int
    metrics: int


@dataclass(frozen=True)
class Unit:
    """One predictor with its only component and the container that the graph names."""

    sdep: Manifest
    predictor: Manifest
    component: Manifest
    container: Manifest
    ports: Ports

    @property
    def service_name(self) -> str:
        """The Service of the predictor: given by annotation, else made of the two names."""
        fixed = self.predictor.get("annotations", {}).get(SVC_NAME)
        return str(fixed) if fixed else shortened(f"{_name(self.sdep)}-{self.predictor['name']}")

    @property
    def container_service_name(self) -> str:
        """The Service that leads to the container whatever stands before it."""
        return shortened(f"{_name(self.sdep)}-{self.predictor['name']}-{self.container['name']}")

    @property
    def deployment_name(self) -> str:
        """The Deployment's name; the names of all containers are part of it unless the component is named."""
        named = self.component.get("metadata", {}).get("name")
        last = named or "-".join(container["name"] for container in self.component["spec"]["containers"])
        return shortened(f"{_name(self.sdep)}-{self.predictor['name']}-0-{last}")


def shortened(name: str) -> str:
    """The name, or `seldon-<md5 of it>` when it is longer than 63 characters."""
    if len(name) <= NAME_LIMIT:
        return name
    return "seldon-" + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def units(sdep: Manifest) -> list[Unit]:
    """Every predictor of a SeldonDeployment that `support.problems` finds nothing wrong with."""
    numbers = _PortNumbers()
    return [_unit(sdep, predictor, numbers) for predictor in sdep["spec"]["predictors"]]


def render_deployments(sdep: Manifest) -> list[Manifest]:
    """One Deployment per predictor, in their order."""
    return [_deployment(unit) for unit in units(sdep)]


def render_services(sdep: Manifest) -> list[Manifest]:
    """Two Services per predictor: the container's own, then the predictor's."""
    return list(_services(sdep))


def service_status(sdep: Manifest) -> Manifest:
    """The endpoints as they stand in status.serviceStatus, by Service name."""
    return {
        name: {
            "svcName": name,
            "httpEndpoint": f"{name}.{_namespace(sdep)}:{unit.ports.http}",
            "grpcEndpoint": f"{name}.{_namespace(sdep)}:{unit.ports.grpc}",
        }
        for unit in units(sdep)
        for name in (unit.container_service_name, unit.service_name)
    }


def address(sdep: Manifest) -> str:
    """The in-cluster URL of the first predictor."""
    first = units(sdep)[0]
    host = f"{first.service_name}.{_namespace(sdep)}.svc.cluster.local:{first.ports.http}"
    path = PREDICTION_PATHS[sdep["spec"].get("protocol", "seldon")].format(node=first.predictor["graph"]["name"])
    return f"http://{host}{path}"


def _name(sdep: Manifest) -> str:
    return str(sdep["metadata"]["name"])


def _namespace(sdep: Manifest) -> str:
    return str(sdep["metadata"].get("namespace", "default"))


class _PortNumbers:
    """Hands out ports where none are declared: by container name for HTTP and gRPC, one after the other for metrics."""

    def __init__(self) -> None:
        self._containers: dict[str, int] = {}
        self._metrics = 6000

    def ports(self, container: Manifest) -> Ports:
        offset = self._containers.setdefault(container["name"], len(self._containers))
        declared = {port.get("name"): int(port["containerPort"]) for port in container.get("ports", [])}
        metrics = declared.get("metrics")
        if metrics is None:
            metrics, self._metrics = self._metrics, self._metrics + 1
        return Ports(declared.get("http", 9000 + offset), declared.get("grpc", 9500 + offset), metrics)

    def skip(self, container: Manifest) -> None:
        self._containers.setdefault(container["name"], len(self._containers))


def _unit(sdep: Manifest, predictor: Manifest, numbers: _PortNumbers) -> Unit:
    component = predictor["componentSpecs"][0]
    for container in component["spec"]["containers"]:
        if container["name"] == predictor["graph"]["name"]:
            return Unit(sdep, predictor, component, container, numbers.ports(container))
        numbers.skip(container)
    raise LookupError(f"predictor {predictor['name']!r} has no container named {predictor['graph']['name']!r}")


def _owner_references(sdep: Manifest) -> list[Manifest]:
    return [
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": _name(sdep),
            "uid": sdep["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def _metadata(unit: Unit, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Manifest:
    return {
        "name": name,
        "namespace": _namespace(unit.sdep),
        "labels": dict(labels),
        "annotations": dict(annotations),
        "ownerReferences": _owner_references(unit.sdep),
    }


# Services


def _services(sdep: Manifest) -> Iterator[Manifest]:
    for unit in units(sdep):
        yield _service(unit, unit.container_service_name, _container_selector(unit), _container_selector(unit))
        yield _service(unit, unit.service_name, {LABEL_APP: unit.service_name}, {})


def _service(unit: Unit, name: str, selector: Mapping[str, str], extra_labels: Mapping[str, str]) -> Manifest:
    labels = {
        LABEL_SDEP: shortened(_name(unit.sdep)),
        LABEL_APP: unit.service_name,
        LABEL_MANAGED_BY: MANAGED_BY,
        **_role_labels(unit),
        **extra_labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(unit, name, labels, unit.predictor.get("annotations", {})),
        "spec": {
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "selector": dict(selector),
            "ports": [_service_port("http", unit.ports.http), _service_port("grpc", unit.ports.grpc)],
        },
    }


def _service_port(name: str, port: int) -> Manifest:
    return {"name": name, "port": port, "targetPort": port, "protocol": "TCP"}


def _container_selector(unit: Unit) -> dict[str, str]:
    return {f"seldon-app-svc-{unit.container['name']}": unit.container_service_name}


# Deployments


def _deployment(unit: Unit) -> Manifest:
    labels = _deployment_labels(unit)
    spec = {
        "progressDeadlineSeconds": unit.predictor.get("progressDeadlineSeconds", 600),
        "selector": {"matchLabels": _selector(unit)},
        # With 0 unavailable an update that never gets ready leaves the old pod in service.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "template": {"metadata": {"labels": labels, "annotations": _pod_annotations(unit)}, "spec": _pod_spec(unit)},
    }
    replicas = _replicas(unit)
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(unit, unit.deployment_name, labels, _annotations(unit)),
        "spec": spec,
    }


def _replicas(unit: Unit) -> int | None:
    for holder in (unit.component, unit.predictor, unit.sdep["spec"]):
        if holder.get("replicas") is not None:
            return int(holder["replicas"])
    return None


def _selector(unit: Unit) -> dict[str, str]:
    return {LABEL_SDEP: shortened(_name(unit.sdep)), LABEL_APP: unit.service_name, **_container_selector(unit)}


def _deployment_labels(unit: Unit) -> dict[str, str]:
    return {
        "app": unit.deployment_name,
        "fluentd": "true",
        **_predictor_labels(unit),
        **unit.component.get("metadata", {}).get("labels", {}),
        **_role_labels(unit),
        LABEL_MANAGED_BY: MANAGED_BY,
        **_selector(unit),
    }


def _predictor_labels(unit: Unit) -> dict[str, str]:
    return {"version": unit.predictor["name"], **unit.predictor.get("labels", {})}


def _role_labels(unit: Unit) -> dict[str, str]:
    shadow = {"seldon.io/shadow": "true"} if unit.predictor.get("shadow") else {}
    return {"seldon.io/model": "true", **shadow}


def _annotations(unit: Unit) -> dict[str, str]:
    """Those of spec, predictor and component; the object's own metadata.annotations are not copied."""
    return {
        **unit.sdep["spec"].get("annotations", {}),
        **unit.predictor.get("annotations", {}),
        **unit.component.get("metadata", {}).get("annotations", {}),
    }


def _pod_annotations(unit: Unit) -> dict[str, str]:
    return {"prometheus.io/path": METRICS_PATH, "prometheus.io/scrape": "true", **_annotations(unit)}


def _pod_spec(unit: Unit) -> Manifest:
    spec: Manifest = copy.deepcopy(unit.component["spec"])
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 20)
    spec["containers"] = [_container(unit) if c["name"] == unit.container["name"] else c for c in spec["containers"]]
    spec["volumes"] = _with_named(spec.get("volumes", []), _podinfo_volume())
    return spec


def _podinfo_volume() -> Manifest:
    field = {"apiVersion": "v1", "fieldPath": "metadata.annotations"}
    items = [{"path": "annotations", "fieldRef": field}]
    return {"name": "seldon-podinfo", "downwardAPI": {"defaultMode": 420, "items": items}}


def _container(unit: Unit) -> Manifest:
    container: Manifest = copy.deepcopy(unit.container)
    container["env"] = _env(unit)
    container["ports"] = _container_ports(unit)
    container["volumeMounts"] = _with_named(
        container.get("volumeMounts", []), {"name": "seldon-podinfo", "mountPath": "/etc/podinfo"}
    )
    container.setdefault("lifecycle", {"preStop": {"exec": {"command": ["/bin/sh", "-c", "/bin/sleep 10"]}}})
    container.setdefault("livenessProbe", _tcp_probe(unit.ports.http, initial_delay_seconds=60))
    container.setdefault("readinessProbe", _tcp_probe(unit.ports.http, initial_delay_seconds=20))
    return container


def _tcp_probe(port: int, initial_delay_seconds: int) -> Manifest:
    timing = {"periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
    return {"tcpSocket": {"port": port}, "initialDelaySeconds": initial_delay_seconds, **timing}


def _container_ports(unit: Unit) -> list[Manifest]:
    ports: list[Manifest] = list(unit.container.get("ports", []))
    for name, number in (("metrics", unit.ports.metrics), ("http", unit.ports.http), ("grpc", unit.ports.grpc)):
        ports = _with_named(ports, {"name": name, "containerPort": number, "protocol": "TCP"})
    return ports


def _env(unit: Unit) -> list[Manifest]:
    env: list[Manifest] = list(unit.container.get("env", []))
    for name, value in _env_additions(unit):
        env = _with_named(env, {"name": name, "value": value})
    return env


def _env_additions(unit: Unit) -> Iterator[tuple[str, str]]:
    """What Seldon adds, in its order; a variable that the user set stays the user's."""
    name = str(unit.container["name"])
    http, grpc, metrics = str(unit.ports.http), str(unit.ports.grpc), str(unit.ports.metrics)
    yield "PREDICTIVE_UNIT_SERVICE_PORT", http
    yield "PREDICTIVE_UNIT_HTTP_SERVICE_PORT", http
    yield "MLSERVER_HTTP_PORT", http
    yield "PREDICTIVE_UNIT_GRPC_SERVICE_PORT", grpc
    yield "MLSERVER_GRPC_PORT", grpc
    yield "PREDICTIVE_UNIT_ID", name
    yield "MLSERVER_MODEL_NAME", name
    yield "PREDICTIVE_UNIT_IMAGE", str(unit.container.get("image", ""))
    yield "PREDICTOR_ID", str(unit.predictor["name"])
    yield "PREDICTOR_LABELS", json.dumps(_predictor_labels(unit), sort_keys=True, separators=(",", ":"))
    yield "SELDON_DEPLOYMENT_ID", _name(unit.sdep)
    yield "SELDON_EXECUTOR_ENABLED", "true"
    yield "PREDICTIVE_UNIT_METRICS_SERVICE_PORT", metrics
    yield "PREDICTIVE_UNIT_METRICS_ENDPOINT", METRICS_PATH
    yield "MLSERVER_METRICS_PORT", metrics
    yield "MLSERVER_METRICS_ENDPOINT", METRICS_PATH


def _with_named(entries: list[Manifest], entry: Manifest) -> list[Manifest]:
    """The list with the entry at its end, unless one of that name is there already."""
    if any(existing.get("name") == entry["name"] for existing in entries):
        return entries
    return [*entries, entry]
