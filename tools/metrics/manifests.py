"""The objects that run metrics-server, with what its own documentation says that it needs and no more."""

from typing import Any

Manifest = dict[str, Any]

NAMESPACE = "kube-system"
NAME = "metrics-server"
API = "v1beta1.metrics.k8s.io"
PORT = 10250
RESOLUTION_SECONDS = 10
"""How often it reads the kubelet: an autoscaler sees load two readings after it began. It allows no less."""
LABELS = {"app.kubernetes.io/name": NAME}
_USER = 65532
_RBAC = "rbac.authorization.k8s.io"
_FOLDER = "/var/lib/metrics-server"
_AUTHORITY = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"


def build_everything(image: str) -> list[Manifest]:
    """Everything, in the order to apply it."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()},
        build_role(),
        _binding("ClusterRoleBinding", NAME, {"kind": "ClusterRole", "name": NAME}),
        # It asks the API server who a caller is and what they may, and reads whom to believe who passes a request on.
        _binding("ClusterRoleBinding", f"{NAME}-delegates", {"kind": "ClusterRole", "name": "system:auth-delegator"}),
        _binding("RoleBinding", NAME, {"kind": "Role", "name": "extension-apiserver-authentication-reader"}),
        build_deployment(image),
        build_service(),
        build_api(),
    ]


def build_role() -> Manifest:
    """What it reads: which pods and nodes there are, and the kubelets' numbers."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": LABELS},
        "rules": [
            {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
        ],
    }


def build_deployment(image: str) -> Manifest:
    """One replica."""
    pod = {
        "serviceAccountName": NAME,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(image)],
        "volumes": [{"name": "certificate", "emptyDir": {}}],
    }
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(), "spec": spec}


def build_service() -> Manifest:
    """Where the API server passes requests on to."""
    spec = {"selector": LABELS, "ports": [{"port": 443, "targetPort": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(), "spec": spec}


def build_api() -> Manifest:
    """The group of the API that it answers for; it signs its own certificate, which nobody can check."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": API, "labels": LABELS},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"name": NAME, "namespace": NAMESPACE},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }


def _container(image: str) -> Manifest:
    probe = {"port": PORT, "scheme": "HTTPS"}
    return {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "Never",
        "args": [
            f"--secure-port={PORT}",
            f"--cert-dir={_FOLDER}",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            f"--kubelet-certificate-authority={_AUTHORITY}",
            f"--metric-resolution={RESOLUTION_SECONDS}s",
            # It insists on less than the time between two readings.
            f"--kubelet-request-timeout={RESOLUTION_SECONDS // 2}s",
        ],
        "readinessProbe": {"httpGet": {"path": "/readyz", **probe}, "periodSeconds": 2},
        "livenessProbe": {"httpGet": {"path": "/livez", **probe}, "periodSeconds": 20, "initialDelaySeconds": 20},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "certificate", "mountPath": _FOLDER}],
    }


def _binding(kind: str, name: str, role: Manifest) -> Manifest:
    where = {"namespace": NAMESPACE} if kind == "RoleBinding" else {}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": LABELS, **where},
        "roleRef": {"apiGroup": _RBAC, **role},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _metadata() -> Manifest:
    return {"name": NAME, "namespace": NAMESPACE, "labels": LABELS}
