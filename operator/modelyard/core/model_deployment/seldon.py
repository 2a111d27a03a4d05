"""The SeldonDeployment backend: no orchestrator, constant names: a switch is a rolling update of a predictor.

Written against Seldon Core 1.17.1. Its status is read for what it refuses, never for what it says is ready.
"""

import dataclasses
from collections.abc import Sequence

from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata
from modelyard.core.conditions import shorten
from modelyard.core.context import Context
from modelyard.core.model_deployment import pod
from modelyard.core.model_deployment.backend import (
    PredictorState,
    Servers,
    own,
    pods_of,
    predictor_label,
    state_of,
    version_label,
)
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import is_owned_by

_NAMES = {STABLE: "main", CANARY: "canary"}
"""Seldon's names of predictors. They are part of its Deployments' names and never change: a changed one is downtime."""


class SeldonBackend:
    """Serves through a SeldonDeployment of the same name."""

    api_version = "machinelearning.seldon.io/v1"
    kind = "SeldonDeployment"
    always_surges = True

    def is_present(self, observed: Observed) -> bool:
        """Whether Seldon's CRD is there."""
        return observed.is_seldon_served

    def render(
        self, resource: Manifest, spec: ModelDeploymentSpec, layout: Layout, context: Context
    ) -> Sequence[Manifest]:
        """The SeldonDeployment; Seldon makes the Deployments and a Service for each predictor."""
        name = resource["metadata"]["name"]
        predictors = [
            _predictor(resource, spec, predictor, context) | _traffic(layout, predictor)
            for predictor in layout.predictors
        ]
        return [
            {
                "apiVersion": self.api_version,
                "kind": self.kind,
                "metadata": metadata.child_metadata(resource, name, {names.LABEL_MODEL_VERSION: layout.stable.version}),
                "spec": {"protocol": spec.server.protocol, "transport": "rest", "predictors": predictors},
            }
        ]

    def observe(self, resource: Manifest, observed: Observed) -> Servers:
        """The state of the Deployments that Seldon made for this object."""
        seldon = own(self.kind, resource, observed)
        if seldon is None:
            return Servers()
        return Servers(_observe(STABLE, seldon, observed) or PredictorState(), _observe(CANARY, seldon, observed))


def _observe(name: str, seldon: Manifest, observed: Observed) -> PredictorState | None:
    """The state of one predictor; a Deployment is Seldon's own to delete, some time after its predictor went."""
    told = next((item for item in seldon["spec"]["predictors"] if item.get("name") == _NAMES[name]), None)
    uid = seldon["metadata"]["uid"]
    deployments = [
        item
        for item in observed.of_kind("Deployment")
        if is_owned_by(item, uid) and predictor_label(item["spec"].get("template") or {}) == name
    ]
    if told is None and not deployments:
        return None
    version = version_label(told["componentSpecs"][0]) if told else None
    state = state_of(version, (told or {}).get("replicas", 0), deployments, pods_of(name, observed.pods))
    return dataclasses.replace(state, trouble=state.trouble or _refusal(seldon))


def _traffic(layout: Layout, predictor: Predictor) -> Manifest:
    """The predictor's share where there are two; none is left out: Seldon's routers take a 0 for an even split."""
    weight = layout.weights.get(predictor.name)
    return {"traffic": weight} if layout.canary and weight else {}


def _predictor(resource: Manifest, spec: ModelDeploymentSpec, predictor: Predictor, context: Context) -> Manifest:
    """One predictor. Ports are declared and the Service is named, or Seldon numbers and names them by position."""
    service = f"{resource['metadata']['name']}-{_NAMES[predictor.name]}"
    return {
        "name": _NAMES[predictor.name],
        "replicas": predictor.replicas,
        "progressDeadlineSeconds": spec.progress_deadline_seconds,
        "annotations": pod.template_annotations(spec) | {"seldon.io/no-engine": "true", "seldon.io/svc-name": service},
        "graph": {"name": pod.SERVER, "type": "MODEL", "children": []},
        "componentSpecs": [
            {
                "metadata": {"labels": pod.template_labels(resource, spec, predictor)},
                "spec": pod.spread(pod.build_pod_spec(resource, spec, predictor.version, context), resource, predictor),
            }
        ],
    }


def _refusal(seldon: Manifest) -> Trouble | None:
    """What Seldon's manager says it cannot do."""
    status = seldon.get("status") or {}
    if status.get("state") != "Failed":
        return None
    return Trouble("BackendFailed", shorten(f"Seldon says: {status.get('description') or 'Failed'}"))
