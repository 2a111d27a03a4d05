"""The plain backend: a Deployment and a Service, for clusters with nothing else installed."""

from collections.abc import Sequence
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata
from modelyard.core.context import Context
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.backend import PredictorState, own, state_of, version_label
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest


class DeploymentBackend:
    """Serves through a Deployment and a Service of the same name."""

    api_version = "apps/v1"
    kind = "Deployment"

    def is_present(self, observed: Observed) -> bool:  # noqa: ARG002 - every cluster has Deployments
        """Always."""
        return True

    def render(
        self, resource: Manifest, spec: ModelDeploymentSpec, version: str, context: Context
    ) -> Sequence[Manifest]:
        """The Deployment and its Service."""
        return [_deployment(resource, spec, version, context), _service(resource)]

    def observe(self, resource: Manifest, observed: Observed) -> PredictorState:
        """The state of the Deployment."""
        found = own(self.kind, resource, observed)
        return state_of(version_label(found), [found], observed.pods, None) if found else PredictorState()


def _deployment(resource: Manifest, spec: ModelDeploymentSpec, version: str, context: Context) -> Manifest:
    """The Deployment. A new pod is ready before an old one goes."""
    name = resource["metadata"]["name"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata.child_metadata(resource, name, pod.pod_labels(resource, version)),
        "spec": {
            "replicas": spec.replicas,
            "progressDeadlineSeconds": spec.progress_deadline_seconds,
            "selector": {"matchLabels": metadata.owner_labels(resource)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {
                    "labels": pod.template_labels(resource, spec, version),
                    "annotations": pod.template_annotations(spec),
                },
                "spec": _with_server_ports(pod.build_pod_spec(spec, version, context)),
            },
        },
    }


def _with_server_ports(spec: dict[str, Any]) -> dict[str, Any]:
    """The pod spec with what Seldon would tell the server itself: its name and ports."""
    told = {
        "MLSERVER_MODEL_NAME": pod.SERVER,
        "MLSERVER_HTTP_PORT": str(pod.HTTP_PORT),
        "MLSERVER_GRPC_PORT": str(pod.GRPC_PORT),
        "MLSERVER_METRICS_PORT": str(pod.METRICS_PORT),
        "MLSERVER_METRICS_ENDPOINT": "/prometheus",
    }
    variables = [{"name": name, "value": value} for name, value in told.items()]
    containers = [
        container | {"env": [*container["env"], *variables]} if container["name"] == pod.SERVER else container
        for container in spec["containers"]
    ]
    return spec | {"containers": containers}


def _service(resource: Manifest) -> Manifest:
    """The Service that answers predictions."""
    ports = {"http": pod.HTTP_PORT, "grpc": pod.GRPC_PORT, "metrics": pod.METRICS_PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata.child_metadata(resource, metadata.service_name(resource)),
        "spec": {
            "selector": metadata.owner_labels(resource),
            "ports": [
                {"name": name, "port": port, "targetPort": name, "protocol": "TCP"} for name, port in ports.items()
            ],
        },
    }
