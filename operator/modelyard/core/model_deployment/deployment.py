"""The plain backend: a Deployment for each predictor, for clusters with nothing else installed."""

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata
from modelyard.core.context import Context
from modelyard.core.model_deployment import pod, services
from modelyard.core.model_deployment.backend import (
    PredictorState,
    Servers,
    own_named,
    pods_of,
    state_of,
    version_label,
)
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.protocol import port_environment
from modelyard.core.plan import Manifest

_SURGES: dict[str, dict[str, int | str]] = {
    "Allow": {"maxSurge": "25%", "maxUnavailable": 0},
    "Forbid": {"maxSurge": 0, "maxUnavailable": 1},
}


class DeploymentBackend:
    """Serves through one Deployment per predictor."""

    api_version = "apps/v1"
    kind = "Deployment"
    always_surges = False

    def is_present(self, observed: Observed) -> bool:  # noqa: ARG002 - every cluster has Deployments
        """Always."""
        return True

    def render(
        self, resource: Manifest, spec: ModelDeploymentSpec, layout: Layout, context: Context
    ) -> Sequence[Manifest]:
        """The Deployments, and the canary's Service."""
        made = [_deployment(resource, spec, predictor, context) for predictor in layout.predictors]
        return [*made, services.canary_service(resource)] if layout.canary else made

    def observe(self, resource: Manifest, observed: Observed) -> Servers:
        """The state of each Deployment."""
        return Servers(_observe(STABLE, resource, observed) or PredictorState(), _observe(CANARY, resource, observed))


def _observe(predictor: str, resource: Manifest, observed: Observed) -> PredictorState | None:
    """The state of one predictor's Deployment; one that is being deleted serves no wanted version any more."""
    found = own_named("Deployment", _name(resource, predictor), resource, observed)
    if found is None:
        return None
    is_leaving = "deletionTimestamp" in found["metadata"]
    wanted = found["spec"].get("replicas", 1)
    version = None if is_leaving else version_label(found)
    return state_of(version, wanted, [found], pods_of(predictor, observed.pods))


def _name(resource: Manifest, predictor: str) -> str:
    """The Deployment of one predictor; the stable one's has the name of what it serves."""
    name = str(resource["metadata"]["name"])
    return name if predictor == STABLE else f"{name}-{predictor}"


def _deployment(resource: Manifest, spec: ModelDeploymentSpec, predictor: Predictor, context: Context) -> Manifest:
    """The Deployment of one predictor."""
    name = _name(resource, predictor.name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata.child_metadata(resource, name, pod.pod_labels(resource, predictor)),
        "spec": {
            "replicas": predictor.replicas,
            "progressDeadlineSeconds": spec.progress_deadline_seconds,
            "selector": {"matchLabels": pod.predictor_labels(resource, predictor.name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": _SURGES[spec.rollout.surge]},
            "template": {
                "metadata": {
                    "labels": pod.template_labels(resource, spec, predictor),
                    "annotations": pod.template_annotations(spec),
                },
                "spec": _with_variables(
                    pod.spread(pod.build_pod_spec(resource, spec, predictor.version, context), resource, predictor),
                    port_environment(spec),
                ),
            },
        },
    }


def _with_variables(spec: dict[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    """The pod spec with what Seldon would tell the server itself."""
    variables = [{"name": name, "value": value} for name, value in told.items()]
    containers = [
        container | {"env": [*container["env"], *variables]} if container.get("name") == pod.SERVER else container
        for container in spec["containers"]
    ]
    return spec | {"containers": containers}
