"""The objects that run the stand-in inside a cluster; the code itself travels in a ConfigMap."""

import hashlib
import json
from pathlib import Path

from tools.seldon_standin.render import Manifest

NAMESPACE = "seldon-system"
NAME = "seldon-standin"
STAND_IN_LABEL = "modelyard.io/stand-in"
CRD_FILE = Path(__file__).with_name("crd.yaml")
CRD_NAME = "seldondeployments.machinelearning.seldon.io"
_LABELS = {"app.kubernetes.io/name": NAME, STAND_IN_LABEL: "seldon"}
_ABOUT = {STAND_IN_LABEL: "Not Seldon: it imitates what the Seldon Core 1.17.1 manager does with single-node graphs."}
_MODULES = ("__init__", "render", "support", "status", "reconcile", "cluster", "worker", "main")
_USER = 65532


def standin_manifests(image: str) -> list[Manifest]:
    """Everything but the CRD (`CRD_FILE`), in the order to apply it; `image` needs Python 3.11, kopf and kubernetes."""
    code = build_code()
    return [
        build_namespace(),
        build_service_account(),
        build_cluster_role(),
        build_cluster_role_binding(),
        code,
        build_deployment(image, code),
    ]


def build_namespace() -> Manifest:
    """A namespace for nothing but the stand-in, at the strictest Pod Security level."""
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {**_LABELS, **enforce}}}


def build_service_account() -> Manifest:
    """Who the stand-in is to the API server."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()}


def build_cluster_role() -> Manifest:
    """What it may do, in all namespaces: only what its passes need."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": _LABELS},
        "rules": [
            _rule("machinelearning.seldon.io", "seldondeployments", "get", "list", "watch"),
            _rule("machinelearning.seldon.io", "seldondeployments/status", "update"),
            # Where owner references are guarded, blockOwnerDeletion needs this one.
            _rule("machinelearning.seldon.io", "seldondeployments/finalizers", "update"),
            _rule("apps", "deployments", "get", "list", "watch", "create", "patch", "delete"),
            _rule("", "services", "get", "list", "watch", "create", "patch", "delete"),
        ],
    }


def build_cluster_role_binding() -> Manifest:
    """Gives the role to the account."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME, "labels": _LABELS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def build_code() -> Manifest:
    """The modules that run in the pod."""
    folder = Path(__file__).parent
    data = {f"{module}.py": (folder / f"{module}.py").read_text() for module in _MODULES}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(), "data": data}


def build_deployment(image: str, code: Manifest) -> Manifest:
    """One replica; new code makes a new pod."""
    digest = hashlib.sha256(json.dumps(code["data"], sort_keys=True).encode()).hexdigest()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            "template": {
                "metadata": {"labels": _LABELS, "annotations": {**_ABOUT, "modelyard.io/code": digest[:16]}},
                "spec": _pod_spec(image),
            },
        },
    }


def _metadata() -> Manifest:
    return {"name": NAME, "namespace": NAMESPACE, "labels": _LABELS, "annotations": _ABOUT}


def _rule(group: str, resource: str, *verbs: str) -> Manifest:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def _pod_spec(image: str) -> Manifest:
    identity = {"runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER}
    return {
        "serviceAccountName": NAME,
        "securityContext": {**identity, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 10,
        "containers": [_container(image)],
        "volumes": [{"name": "code", "configMap": {"name": NAME}}, {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
    }


def _container(image: str) -> Manifest:
    probe = {"httpGet": {"path": "/healthz", "port": "health"}}
    return {
        "name": "standin",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # Mounted as the package it is, so that its imports are the same here and in the repository.
        "command": ["python3", "-m", "tools.seldon_standin.main", "--liveness", "http://0.0.0.0:8080/healthz"],
        "workingDir": "/standin",
        "env": [{"name": "PYTHONPATH", "value": "/standin"}, {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "ports": [{"name": "health", "containerPort": 8080}],
        "startupProbe": {**probe, "periodSeconds": 1, "failureThreshold": 60},
        "livenessProbe": {**probe, "periodSeconds": 20, "timeoutSeconds": 5},
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "code", "mountPath": "/standin/tools/seldon_standin", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of its own
        ],
    }
