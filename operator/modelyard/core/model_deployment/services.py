"""The Services that answer predictions: the same whatever runs the servers."""

from collections.abc import Mapping

from modelyard.core import metadata
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.model_deployment.protocol import GRPC_PORT, HTTP_PORT, METRICS_PORT
from modelyard.core.plan import Manifest

_PORTS = {"http": HTTP_PORT, "grpc": GRPC_PORT, "metrics": METRICS_PORT}


def client_service(resource: Manifest, weights: Mapping[str, int]) -> Manifest:
    """The Service that clients call: the pods of each predictor that has a weight, so that their number splits it."""
    [only, *others] = weights
    selector = metadata.owner_labels(resource) if others else pod.predictor_labels(resource, only)
    return _service(resource, metadata.service_name(resource), selector)


def canary_service(resource: Manifest) -> Manifest:
    """The Service of the canary alone, by which it is asked before it has traffic."""
    return _service(resource, metadata.canary_service_name(resource), pod.predictor_labels(resource, CANARY))


def stable_selector(resource: Manifest) -> dict[str, str]:
    """Selects the pods of the stable version."""
    return pod.predictor_labels(resource, STABLE)


def _service(resource: Manifest, name: str, selector: dict[str, str]) -> Manifest:
    """A Service with every port of the server."""
    ports = [{"name": port, "port": number, "targetPort": port, "protocol": "TCP"} for port, number in _PORTS.items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata.child_metadata(resource, name),
        "spec": {"selector": selector, "ports": ports},
    }
