"""A client of the API server for tests: plain JSON in and out, as quick as a poll every 0.2 s wants it."""

import base64
import json
from pathlib import Path
from typing import Any, Self

import requests

Manifest = dict[str, Any]

_PLACES = {
    "Node": "/api/v1",
    "Namespace": "/api/v1",
    "Pod": "/api/v1",
    "Service": "/api/v1",
    "ServiceAccount": "/api/v1",
    "ResourceQuota": "/api/v1",
    "Job": "/apis/batch/v1",
    "Deployment": "/apis/apps/v1",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2",
    "PodDisruptionBudget": "/apis/policy/v1",
    "PersistentVolumeClaim": "/api/v1",
    "Event": "/apis/events.k8s.io/v1",
    "Lease": "/apis/coordination.k8s.io/v1",
    "PriorityClass": "/apis/scheduling.k8s.io/v1",
    "RuntimeClass": "/apis/node.k8s.io/v1",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1",
    "Role": "/apis/rbac.authorization.k8s.io/v1",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1",
    "Gateway": "/apis/gateway.networking.k8s.io/v1",
    "GatewayClass": "/apis/gateway.networking.k8s.io/v1",
    "SeldonDeployment": "/apis/machinelearning.seldon.io/v1",
    "TrainingJob": "/apis/modelyard.io/v1alpha1",
    "Promotion": "/apis/modelyard.io/v1alpha1",
    "PromotionPolicy": "/apis/modelyard.io/v1alpha1",
    "ModelDeployment": "/apis/modelyard.io/v1alpha1",
}
_CLUSTER_WIDE = {
    "Node",
    "Namespace",
    "PriorityClass",
    "RuntimeClass",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "GatewayClass",
}
MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class Refused(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Kube:
    """Requests as the user of a kubeconfig, over one connection that is kept; for one thread."""

    def __init__(self, kubeconfig: Path) -> None:
        content = json.loads(kubeconfig.read_text())
        self._kubeconfig = kubeconfig
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        self.url = str(cluster["server"])
        self.ca_file = self._file("ca", cluster["certificate-authority-data"])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(self.ca_file)
        if "token" in user:
            self._session.headers["Authorization"] = f"Bearer {user['token']}"
        else:
            pair = [self._file(part, user[f"client-{part}-data"]) for part in ("certificate", "key")]
            self._session.cert = (str(pair[0]), str(pair[1]))

    def for_another_thread(self) -> Self:
        """The same user over a connection of its own."""
        return type(self)(self._kubeconfig)

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        try:
            return self.send("GET", path_of(kind, namespace, name))
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def items(self, kind: str, namespace: str = "", labels: str = "") -> list[Manifest]:
        """All objects of a kind, in a namespace or in all."""
        query = {"labelSelector": labels} if labels else {}
        found: list[Manifest] = self.send("GET", path_of(kind, namespace), query=query)["items"]
        return found

    def create(self, manifest: Manifest) -> Manifest:
        """Create it."""
        path = path_of(manifest["kind"], manifest["metadata"].get("namespace", ""))
        return self.send("POST", path, manifest)

    def create_strictly(self, manifest: Manifest) -> Manifest:
        """Create it as kubectl does: fields that the schema does not know are refused."""
        path = path_of(manifest["kind"], manifest["metadata"].get("namespace", ""))
        return self.send("POST", path, manifest, query={"fieldValidation": "Strict"})

    def apply(self, manifest: Manifest, manager: str = "tests") -> Manifest:
        """Server-side apply, as a person does with kubectl."""
        metadata = manifest["metadata"]
        path = path_of(manifest["kind"], metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": manager, "force": "true"}
        return self.send("PATCH", path, manifest, content_type=_APPLY, query=query)

    def patch(self, kind: str, namespace: str, name: str, change: Manifest, subresource: str = "") -> Manifest:
        """A JSON merge patch."""
        return self.send("PATCH", path_of(kind, namespace, name, subresource), change, content_type=MERGE)

    def delete(self, kind: str, namespace: str, name: str, **options: Any) -> None:
        """Delete it; one that is gone is no error."""
        try:
            self.send("DELETE", path_of(kind, namespace, name), options or None)
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
        accept: str = "application/json",
    ) -> Manifest:
        """One request; raises Refused for every answer but 2xx."""
        headers = {"Content-Type": content_type, "Accept": accept}
        # Applied bodies are read as YAML, which knows no pairs of \u escapes.
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        answer = self._session.request(method, self.url + path, params=query, data=data, headers=headers, timeout=60)
        content: Manifest = answer.json()
        if answer.status_code >= 300:
            raise Refused(answer.status_code, str(content.get("message", content)))
        return content

    def _file(self, part: str, encoded: str) -> Path:
        path = self._kubeconfig.with_suffix(f".{part}")
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(base64.b64decode(encoded))
        return path


def path_of(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """Where the API server keeps objects of this kind."""
    plural = f"{kind.lower()}{'es' if kind.endswith('Class') else 's'}"
    plural = "promotionpolicies" if kind == "PromotionPolicy" else plural
    scope = f"/namespaces/{namespace}" if namespace and kind not in _CLUSTER_WIDE else ""
    return f"{_PLACES[kind]}{scope}/{plural}" + "".join(f"/{part}" for part in (name, subresource) if part)
