"""One namespace of a cluster with an operator at work: what a test says and sees."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from support.audit import AuditLog
from support.kube import Kube, Manifest
from support.kubelet import Kubelet
from support.model_servers import ModelServers
from support.operator_process import OperatorProcess
from support.tracking import Tracking
from support.waiting import PATIENCE_SECONDS, eventually, never

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Everything a test touches; what it applies goes to its own namespace."""

    kube: Kube
    kubelet: Kubelet
    tracking: Tracking
    servers: ModelServers
    audit: AuditLog
    operators: list[OperatorProcess]
    namespace: str

    @property
    def operator(self) -> OperatorProcess:
        """The first replica."""
        return self.operators[0]

    def apply(self, manifest: Manifest) -> Manifest:
        """What `kubectl apply` does."""
        return self.kube.apply(self._here(manifest))

    def create(self, manifest: Manifest) -> Manifest:
        """What `kubectl create` does."""
        return self.kube.create(self._here(manifest))

    def get(self, kind: str, name: str) -> Manifest | None:
        """The object, or None."""
        return self.kube.get(kind, self.namespace, name)

    def items(self, kind: str, labels: str = "") -> list[Manifest]:
        """All objects of a kind."""
        return self.kube.items(kind, self.namespace, labels)

    def patch(self, kind: str, name: str, **spec: Any) -> Manifest:
        """Change fields of spec."""
        return self.kube.patch(kind, self.namespace, name, {"spec": spec})

    def delete(self, kind: str, name: str, **options: Any) -> None:
        """Delete it."""
        self.kube.delete(kind, self.namespace, name, **options)

    def until(self, probe: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
        """Wait for it; the failure shows the objects and the operator's last words."""
        return eventually(probe, what, self.explain, seconds)

    def at_no_time(self, probe: Callable[[], object], what: str, seconds: float) -> None:
        """Watch that it does not happen."""
        never(probe, what, self.explain, seconds)

    def events_about(self, manifest: Manifest) -> list[Manifest]:
        """The Events of one object, by their reasons."""
        uid = manifest["metadata"]["uid"]
        found = [item for item in self.items("Event") if item["regarding"].get("uid") == uid]
        return sorted(found, key=lambda item: item["eventTime"] or "")

    def table(self, plural: str) -> list[dict[str, Any]]:
        """The rows that `kubectl get -o wide` prints, by column."""
        path = f"/apis/modelyard.io/v1alpha1/namespaces/{self.namespace}/{plural}"
        found = self.kube.send("GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        names = [column["name"] for column in found["columnDefinitions"]]
        return [dict(zip(names, row["cells"], strict=True)) for row in found["rows"]]

    def explain(self) -> str:
        """What is there, for whoever reads a failure."""
        kinds = ("TrainingJob", "PromotionPolicy", "Promotion", "ModelDeployment", "Job", "Deployment", "Pod")
        objects = [_described(item) for kind in kinds for item in self.items(kind)]
        logs = [f"log of {process.identity}:\n{process.tail()}" for process in self.operators]
        return "\n".join(objects + logs)

    def _here(self, manifest: Manifest) -> Manifest:
        return manifest | {"metadata": manifest["metadata"] | {"namespace": self.namespace}}


def _described(item: Manifest) -> str:
    """What is worth reading of one object; of core kinds, only the parts that tell how it does."""
    status = item.get("status") or {}
    if "apiVersion" not in item:
        status = {name: status[name] for name in ("phase", "reason", "conditions") if name in status}
    return f"{item['metadata']['name']}: {json.dumps(status, indent=1)}"


def condition(manifest: Manifest | None, kind: str) -> dict[str, Any]:
    """One condition of an object, empty while it is not stated."""
    stated = ((manifest or {}).get("status") or {}).get("conditions") or []
    return next((item for item in stated if item["type"] == kind), {})
