"""The objects that run Traefik inside a cluster as the controller of one Gateway."""

from typing import Any

from tools.gateway.kinds import LABEL

Manifest = dict[str, Any]

NAMESPACE = "modelyard-gateway"
NAME = "traefik"
GATEWAY = "web"
CLASS = "traefik"
PORT = 8000
"""Of the listener and of the Service: Traefik wants both to be the port that it listens on."""
ADDRESS = f"{NAME}.{NAMESPACE}.svc"
"""What the Gateway gives as its address: the Service, as there is no load balancer."""
API_VERSION = "gateway.networking.k8s.io/v1"
_GROUP = "gateway.networking.k8s.io"
_LABELS = {"app.kubernetes.io/name": NAME, LABEL: "traefik"}
_USER = 65532
_READ = ("get", "list", "watch")


def build_namespace() -> Manifest:
    """A namespace for nothing but Traefik, at the strictest Pod Security level."""
    enforce = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {**_LABELS, **enforce}}}


def build_everything(image: str) -> list[Manifest]:
    """What belongs into the namespace and beside it, but for the definitions, in the order to apply it."""
    return [
        build_namespace(),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(NAME)},
        build_cluster_role(),
        build_cluster_role_binding(),
        build_deployment(image),
        build_service(),
        build_class(),
        build_gateway(),
    ]


def build_cluster_role() -> Manifest:
    """What Traefik reads, and the statuses that it writes."""
    kinds = ("gatewayclasses", "gateways", "httproutes", "grpcroutes", "tcproutes", "tlsroutes", "backendtlspolicies")
    statuses = [f"{kind}/status" for kind in (*kinds, "listenersets")]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _cluster_name(), "labels": _LABELS},
        "rules": [
            # Secrets hold certificates of listeners; Traefik's caches want to know all of them, or it does not start.
            _rule("", ("namespaces", "services", "secrets", "configmaps", "nodes"), *_READ),
            _rule("discovery.k8s.io", ("endpointslices",), *_READ),
            _rule(_GROUP, (*kinds, "listenersets", "referencegrants"), *_READ),
            _rule(_GROUP, statuses, "update"),
        ],
    }


def build_cluster_role_binding() -> Manifest:
    """Gives the role to the account."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _cluster_name(), "labels": _LABELS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _cluster_name()},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def build_deployment(image: str) -> Manifest:
    """One replica of Traefik."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(NAME),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            "template": {"metadata": {"labels": _LABELS}, "spec": _pod_spec(image)},
        },
    }


def build_service() -> Manifest:
    """Where requests come in."""
    ports = [{"name": "web", "port": PORT, "targetPort": "web"}]
    spec = {"selector": {"app.kubernetes.io/name": NAME}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(NAME), "spec": spec}


def build_class() -> Manifest:
    """The class of Gateways that Traefik works for."""
    return {
        "apiVersion": API_VERSION,
        "kind": "GatewayClass",
        "metadata": {"name": CLASS, "labels": _LABELS},
        "spec": {"controllerName": "traefik.io/gateway-controller"},
    }


def build_gateway() -> Manifest:
    """One listener, for routes of every namespace."""
    listener = {"name": "web", "protocol": "HTTP", "port": PORT, "allowedRoutes": {"namespaces": {"from": "All"}}}
    return {
        "apiVersion": API_VERSION,
        "kind": "Gateway",
        "metadata": _metadata(GATEWAY),
        "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
    }


def _pod_spec(image: str) -> Manifest:
    identity = {"runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER}
    return {
        "serviceAccountName": NAME,
        "securityContext": {**identity, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(image)],
    }


def _container(image: str) -> Manifest:
    probe = {"httpGet": {"path": "/ping", "port": "health"}}
    return {
        "name": "traefik",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            f"--entrypoints.web.address=:{PORT}",
            "--entrypoints.health.address=:8080",
            "--ping.entrypoint=health",
            "--providers.kubernetesgateway",
            f"--providers.kubernetesgateway.statusaddress.hostname={ADDRESS}",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=INFO",
        ],
        "ports": [{"name": "web", "containerPort": PORT}, {"name": "health", "containerPort": 8080}],
        "readinessProbe": {**probe, "periodSeconds": 1},
        "livenessProbe": {**probe, "periodSeconds": 20, "timeoutSeconds": 5},
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _metadata(name: str) -> Manifest:
    return {"name": name, "namespace": NAMESPACE, "labels": _LABELS}


def _cluster_name() -> str:
    return f"{NAMESPACE}-{NAME}"


def _rule(group: str, resources: object, *verbs: str) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}  # type: ignore[call-overload]
