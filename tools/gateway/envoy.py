"""Puts Envoy Gateway onto a cluster by its own chart, and takes it away again. Needs kubectl, helm, and Go."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.gateway.definitions import download
from tools.gateway.kinds import APPLY, LABEL, TIMEOUT_SECONDS, are_ours, define, undefine
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import Kubectl, KubectlError, Say

NAMESPACE = "modelyard-envoy"
NAME = "envoy"
"""Of the release, of the class, and of the Service that requests come in through."""
GATEWAY = "web"
PORT = 8000
MODULE = "github.com/envoyproxy/gateway"
FEATURES = ("HTTPRouteRequestMirror", "HTTPRouteRequestPercentageMirror")
"""What it can do and its class does not list."""
_GO_MODULE = CHECKOUT / "images" / "envoy-gateway"
_CHART = Path("charts") / "gateway-helm"
_OURS = f"{LABEL}={NAME}"
_LABELS = {LABEL: NAME}
_API_VERSION = "gateway.networking.k8s.io/v1"

Manifest = dict[str, Any]


def install(kubectl: Kubectl, helm: Sequence[str], image: str, say: Say = print) -> None:
    """Makes sure that the Gateway `modelyard-envoy/web` takes routes and is said to copy requests.

    Raises:
        KubectlError, ClusterError: it could not be done.
    """
    define(kubectl, say)
    _apply(kubectl, build_namespace())
    _run(helm, *chart_arguments(download(MODULE, _GO_MODULE) / _CHART), stdin=json.dumps(values(image)))
    _apply(kubectl, build_class(), build_gateway())
    here = ("--namespace", NAMESPACE, f"--timeout={TIMEOUT_SECONDS}s")
    kubectl.run("wait", "--for=condition=Programmed", f"gateway/{GATEWAY}", *here)
    say(f"Envoy Gateway runs: Gateway {NAMESPACE}/{GATEWAY}, class {NAME}.")


def uninstall(kubectl: Kubectl, helm: Sequence[str], say: Say = print) -> None:
    """Removes it; Gateway API's definitions only where they came with a gateway and no route would go with them."""
    if kubectl.run("get", "namespace", "--selector", _OURS, "--output", "name").strip():
        # While the controller runs: it holds its class back until its Gateways are gone.
        kinds = "gateways.gateway.networking.k8s.io"
        kubectl.run("delete", kinds, "--selector", _OURS, "--namespace", NAMESPACE, "--ignore-not-found")
        kubectl.run("delete", "gatewayclass", "--selector", _OURS, "--ignore-not-found")
        _run(helm, "uninstall", NAME, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
        # Envoy would wait for its connections, and the namespace for half the minutes that Envoy may take.
        kubectl.run("delete", "pods", "--all", "--namespace", NAMESPACE, "--grace-period=1")
        kubectl.run("delete", "namespace", "--selector", _OURS, f"--timeout={TIMEOUT_SECONDS}s")
    if are_ours(kubectl):
        undefine(kubectl, say)
    else:
        say("The gateway is gone.")


def chart_arguments(chart: Path) -> list[str]:
    """What helm is told; the module has the chart as it is before a release fills in the image's name."""
    files = ["--values", str(chart / "values.tmpl.yaml"), "--values", "-"]
    release = ["upgrade", "--install", NAME, str(chart), "--namespace", NAMESPACE]
    return [*release, *files, "--wait", "--disable-openapi-validation"]


def values(image: str) -> Manifest:
    """The chart's values: one image for all, small, and without a load balancer, which the cluster does not have."""
    proxy = {
        "envoyService": {"type": "ClusterIP", "name": NAME},
        "envoyDeployment": {"container": {"resources": _resources("50m", "96Mi", "512Mi")}},
    }
    kubernetes = {"type": "Kubernetes", "kubernetes": proxy}
    return {
        "global": {
            "images": {"envoyGateway": {"image": image, "pullPolicy": "IfNotPresent"}, "envoyProxy": {"image": image}}
        },
        # Gateway API's are there, and it does without its own: its settings are all in one file.
        "crds": {"enabled": False},
        "topologyInjector": {"enabled": False},
        "deployment": {"envoyGateway": {"resources": _resources("50m", "96Mi", "512Mi")}},
        "config": {"envoyGateway": {"envoyProxy": {"provider": kubernetes}}},
    }


def build_namespace() -> Manifest:
    """A namespace for nothing but this gateway, at the strictest Pod Security level."""
    labels = {**_LABELS, "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def build_class() -> Manifest:
    """The class of Gateways that Envoy Gateway works for."""
    return {
        "apiVersion": _API_VERSION,
        "kind": "GatewayClass",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    }


def build_gateway() -> Manifest:
    """One listener, for routes of every namespace; and the word that it can copy, as its class does not give it."""
    listener = {"name": "web", "protocol": "HTTP", "port": PORT, "allowedRoutes": {"namespaces": {"from": "All"}}}
    annotations = {"modelyard.io/supported-features": ",".join(FEATURES)}
    return {
        "apiVersion": _API_VERSION,
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE, "labels": _LABELS, "annotations": annotations},
        "spec": {"gatewayClassName": NAME, "listeners": [listener]},
    }


def _resources(cpu: str, memory: str, limit: str) -> Manifest:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}


def _apply(kubectl: Kubectl, *manifests: Manifest) -> None:
    everything = {"apiVersion": "v1", "kind": "List", "items": manifests}
    kubectl.run(*APPLY, "--filename", "-", stdin=json.dumps(everything))


def _run(helm: Sequence[str], *arguments: str, stdin: str | None = None) -> None:
    """Runs helm; raises KubectlError with what it said."""
    command = [*helm, *arguments]
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=3 * TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KubectlError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        raise KubectlError(f"helm {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
