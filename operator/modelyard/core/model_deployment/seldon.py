"""The SeldonDeployment backend: one predictor, no orchestrator, constant names: a switch is a rolling update.

Written against Seldon Core 1.17.1. Its status is read for what it refuses, never for what it says is ready.
"""

from collections.abc import Sequence

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata
from modelyard.core.conditions import shorten
from modelyard.core.context import Context
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.backend import PredictorState, own, state_of, version_label
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import is_owned_by

PREDICTOR = "main"


class SeldonBackend:
    """Serves through a SeldonDeployment of the same name."""

    api_version = "machinelearning.seldon.io/v1"
    kind = "SeldonDeployment"

    def is_present(self, observed: Observed) -> bool:
        """Whether Seldon's CRD is there."""
        return observed.is_seldon_served

    def render(
        self, resource: Manifest, spec: ModelDeploymentSpec, version: str, context: Context
    ) -> Sequence[Manifest]:
        """The SeldonDeployment; Seldon makes the Deployment and the Service."""
        name = resource["metadata"]["name"]
        return [
            {
                "apiVersion": self.api_version,
                "kind": self.kind,
                "metadata": metadata.child_metadata(resource, name, pod.pod_labels(resource, version)),
                "spec": {
                    "protocol": "v2",
                    "transport": "rest",
                    "predictors": [_predictor(resource, spec, version, context)],
                },
            }
        ]

    def observe(self, resource: Manifest, observed: Observed) -> PredictorState:
        """The state of the Deployments that Seldon made for this object."""
        seldon = own(self.kind, resource, observed)
        if seldon is None:
            return PredictorState()
        uid = seldon["metadata"]["uid"]
        deployments = [item for item in observed.of_kind("Deployment") if is_owned_by(item, uid)]
        return state_of(version_label(seldon), deployments, observed.pods, _refusal(seldon))


def _predictor(resource: Manifest, spec: ModelDeploymentSpec, version: str, context: Context) -> Manifest:
    """The one predictor. Ports are declared and the Service is named, or Seldon numbers and names them by position."""
    own = {"seldon.io/no-engine": "true", "seldon.io/svc-name": metadata.service_name(resource)}
    return {
        "name": PREDICTOR,
        "replicas": spec.replicas,
        "progressDeadlineSeconds": spec.progress_deadline_seconds,
        "annotations": pod.template_annotations(spec) | own,
        "graph": {"name": pod.SERVER, "type": "MODEL", "children": []},
        "componentSpecs": [
            {
                "metadata": {"labels": pod.template_labels(resource, spec, version)},
                "spec": pod.build_pod_spec(spec, version, context),
            }
        ],
    }


def _refusal(seldon: Manifest) -> Trouble | None:
    """What Seldon's manager says it cannot do."""
    status = seldon.get("status") or {}
    if status.get("state") != "Failed":
        return None
    return Trouble("BackendFailed", shorten(f"Seldon says: {status.get('description') or 'Failed'}"))
