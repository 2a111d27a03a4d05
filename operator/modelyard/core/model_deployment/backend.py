"""What runs the servers: one interface, so that nothing else names a backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import pod_state
from modelyard.core.context import Context
from modelyard.core.model_deployment.layout import Layout, Predictor
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import is_owned_by


@dataclass(frozen=True)
class PredictorState:
    """What the servers of one predictor do, as their Deployments and pods say."""

    applied_version: str | None = None
    """The version that the backend was last told to serve."""
    wanted: int = 0
    """How many pods it was last told to have."""
    replicas: int = 0
    available: int = 0
    rolled_out_version: str | None = None
    """The version that every wanted pod serves; none while they differ, and none without pods."""
    trouble: Trouble | None = None
    """Why pods of the applied version do not get on."""

    def has_rolled_out(self, predictor: Predictor) -> bool:
        """Whether exactly the wanted pods of the wanted version are there, and ready."""
        is_complete = self.applied_version == self.rolled_out_version == predictor.version
        return is_complete and self.available == predictor.replicas


@dataclass(frozen=True)
class Servers:
    """What all servers of one ModelDeployment do."""

    stable: PredictorState = PredictorState()
    canary: PredictorState | None = None
    """None once nothing is left of it; without an applied version it is on its way out."""


class Backend(Protocol):
    """Renders what serves a version, and tells what became of it."""

    api_version: str
    kind: str
    always_surges: bool
    """Whether its rolling updates make a new pod before an old one goes, whatever one says."""

    def is_present(self, observed: Observed) -> bool:
        """Whether the cluster can run it."""
        ...

    def render(
        self, resource: Manifest, spec: ModelDeploymentSpec, layout: Layout, context: Context
    ) -> Sequence[Manifest]:
        """What runs the servers of a layout, the object that names the backend first."""
        ...

    def observe(self, resource: Manifest, observed: Observed) -> Servers:
        """What its servers do now."""
        ...


def state_of(
    applied_version: str | None, wanted: int, deployments: Sequence[Manifest], pods: Sequence[Manifest]
) -> PredictorState:
    """The state that Deployments and pods show, whichever backend made them."""
    statuses = [deployment.get("status") or {} for deployment in deployments]
    return PredictorState(
        applied_version=applied_version,
        wanted=wanted,
        replicas=sum(status.get("replicas") or 0 for status in statuses),
        available=sum(status.get("availableReplicas") or 0 for status in statuses),
        rolled_out_version=_rolled_out(deployments),
        trouble=_trouble(applied_version, deployments, pods),
    )


def pods_of(predictor: str, pods: Sequence[Manifest]) -> list[Manifest]:
    """The pods of one predictor, by their labels."""
    return [pod for pod in pods if predictor_label(pod) == predictor]


def own(kind: str, resource: Manifest, observed: Observed) -> Manifest | None:
    """The object of this kind that serves `resource`; labels can be copied, so its controller has to be it."""
    return own_named(kind, resource["metadata"]["name"], resource, observed)


def own_named(kind: str, name: str, resource: Manifest, observed: Observed) -> Manifest | None:
    """The object of this kind and name, if `resource` controls it."""
    found = observed.named(kind, name)
    return found if found and is_owned_by(found, resource["metadata"]["uid"]) else None


def version_label(manifest: Manifest) -> str | None:
    """The version that an object's labels name."""
    return _label(manifest, names.LABEL_MODEL_VERSION)


def predictor_label(manifest: Manifest) -> str | None:
    """The predictor that an object's labels name."""
    return _label(manifest, names.LABEL_PREDICTOR)


def _label(manifest: Manifest, name: str) -> str | None:
    """One label, if it says anything."""
    value = (manifest.get("metadata", {}).get("labels") or {}).get(name)
    return str(value) if value else None


def _rolled_out(deployments: Sequence[Manifest]) -> str | None:
    """The version of every Deployment, if each of them is completely there."""
    versions = {_complete_version(deployment) for deployment in deployments}
    return versions.pop() if len(versions) == 1 else None


def _complete_version(deployment: Manifest) -> str | None:
    """The version of one Deployment whose pods are all of its newest template and available."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    wanted = spec.get("replicas", 1)
    is_seen = (status.get("observedGeneration") or 0) >= (deployment["metadata"].get("generation") or 0)
    counts = [status.get(name) or 0 for name in ("replicas", "updatedReplicas", "availableReplicas")]
    is_complete = is_seen and wanted > 0 and all(count == wanted for count in counts)
    return version_label(spec.get("template") or {}) if is_complete else None


def _trouble(version: str | None, deployments: Sequence[Manifest], pods: Sequence[Manifest]) -> Trouble | None:
    """Why pods of this version do not get on: pods say it best, Deployments when there are no pods."""
    concerned = [pod for pod in pods if version_label(pod) == version and not pod["metadata"].get("deletionTimestamp")]
    found = next((said for pod in concerned if (said := pod_state.trouble(pod))), None)
    return found or next((said for item in deployments if (said := _refused_pods(item))), None)


def _refused_pods(deployment: Manifest) -> Trouble | None:
    """A Deployment whose pods are not let in: a quota, a policy."""
    for condition in (deployment.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return Trouble(str(condition.get("reason") or "ReplicaFailure"), str(condition.get("message") or ""))
    return None
