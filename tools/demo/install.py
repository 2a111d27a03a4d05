"""Puts onto a cluster what the demo needs besides the cluster: MLflow, Seldon's stand-in, the operator."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tools.demo.place import Site
from tools.demo.screen import DemoError, Screen
from tools.gateway import install as gateway
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin import install as standin
from tools.seldon_standin.install import Kubectl

NAMESPACE = "modelyard-demo"
SYSTEM_NAMESPACE = "modelyard-system"
MLFLOW_NAMESPACE = "mlflow"
RELEASE = "modelyard"
LABEL = "modelyard.io/demo"
MLFLOW_FILE = CHECKOUT / "examples" / "00-mlflow-for-trying-out.yaml"
MLFLOW_IMAGE = "modelyard/mlflow:0.1.0"
MLFLOW_UI = "http://localhost:5000"
CHART = CHECKOUT / "charts" / "modelyard"
_WAIT_SECONDS = 240


def start_mlflow(site: Site) -> None:
    """Applies the example's MLflow with the image built here; does not wait for it. Raises KubectlError, DemoError."""
    claim(site.kubectl, MLFLOW_NAMESPACE)
    text = MLFLOW_FILE.read_text("utf-8")
    if text.count(MLFLOW_IMAGE) != 1:
        raise DemoError(f"{MLFLOW_FILE.name} does not name the image {MLFLOW_IMAGE} exactly once: put it right")
    text = text.replace(MLFLOW_IMAGE, site.images["mlflow"])
    site.kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=text)


def await_mlflow(kubectl: Kubectl) -> None:
    """Waits until it answers; raises KubectlError."""
    kubectl.run(
        "rollout", "status", f"--timeout={_WAIT_SECONDS - 60}s", "--namespace", MLFLOW_NAMESPACE, "deploy/mlflow"
    )


def install_operator(site: Site, screen: Screen, mlflow: Mapping[str, Any] | None = None) -> None:
    """Installs the chart and waits for its pods; further values of its section `mlflow` may be given.

    Raises:
        KubectlError, DemoError: it could not be done.
    """
    claim(site.kubectl, SYSTEM_NAMESPACE)
    command = ["upgrade", "--install", RELEASE, str(CHART), "--namespace", SYSTEM_NAMESPACE]
    screen.say(f"$ helm upgrade --install {RELEASE} charts/modelyard --namespace {SYSTEM_NAMESPACE} --values … --wait")
    wanted = values(site.images)
    wanted["mlflow"] |= mlflow or {}
    run_helm(site, [*command, "--values", "-", "--wait", f"--timeout={_WAIT_SECONDS}s"], json.dumps(wanted))


def uninstall(site: Site, screen: Screen) -> None:
    """Takes away what the demo installed, and nothing else; raises KubectlError, DemoError."""
    remove_namespace(site.kubectl, NAMESPACE)
    if is_ours(site.kubectl, SYSTEM_NAMESPACE):
        run_helm(site, ["uninstall", RELEASE, "--namespace", SYSTEM_NAMESPACE, "--ignore-not-found", "--wait"])
        remove_namespace(site.kubectl, SYSTEM_NAMESPACE)
        remove_definitions(site.kubectl, screen)
    gateway.uninstall(site.kubectl, screen.say)
    standin.uninstall(site.kubectl, screen.say)
    remove_namespace(site.kubectl, MLFLOW_NAMESPACE)


def values(images: Mapping[str, str]) -> dict[str, Any]:
    """The chart's values: MLflow's address and the images of this checkout."""
    names = {
        "operator": "operator",
        "trainer": "trainer",
        "modelServer": "model-server",
        "modelServerSeldon": "model-server-seldon",
        "modelFetcher": "model-fetcher",
        "sourceFetcher": "source-fetcher",
    }
    return {
        "mlflow": {"trackingUri": f"http://mlflow.{MLFLOW_NAMESPACE}.svc:5000", "uiUrl": MLFLOW_UI},
        "images": {key: split_reference(images[name]) for key, name in names.items()},
        # A demo has few objects and somebody waiting.
        "aliasPollSeconds": 5,
    }


def split_reference(reference: str) -> dict[str, str]:
    """Repository and tag of an image reference; a registry's port is no tag."""
    repository, _, tag = reference.rpartition(":")
    if not repository or "/" in tag:
        raise DemoError(f"the image reference {reference!r} has no tag")
    return {"repository": repository, "tag": tag}


def claim(kubectl: Kubectl, namespace: str) -> None:
    """Makes the namespace the demo's; raises DemoError where it is somebody else's."""
    if exists(kubectl, namespace) and not is_ours(kubectl, namespace):
        raise DemoError(
            f"the namespace {namespace} exists on this cluster and is not the demo's: "
            "use another cluster, or delete that namespace if nobody needs it"
        )
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": {LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}},
    }
    kubectl.run(
        "apply",
        "--server-side",
        "--field-manager=demo",
        "--force-conflicts",
        "--filename",
        "-",
        stdin=json.dumps(manifest),
    )


def exists(kubectl: Kubectl, namespace: str) -> bool:
    """Whether the namespace is there."""
    return bool(kubectl.run("get", "namespace", namespace, "--ignore-not-found", "--output", "name").strip())


def is_ours(kubectl: Kubectl, namespace: str) -> bool:
    """Whether the demo made the namespace."""
    found = kubectl.run("get", "namespaces", "--selector", f"{LABEL}=true", "--output", "name")
    return f"namespace/{namespace}" in found.split()


def remove_namespace(kubectl: Kubectl, namespace: str) -> None:
    """Deletes the namespace with all that is in it, if the demo made it."""
    if is_ours(kubectl, namespace):
        kubectl.run("delete", "namespace", namespace, "--ignore-not-found", "--timeout=180s")


def remove_definitions(kubectl: Kubectl, screen: Screen) -> None:
    """Deletes the kinds' definitions, which the chart keeps, unless somebody else's objects would go with them."""
    kinds = kubectl.run("get", "crd", "--output", "name").split()
    ours = [name for name in kinds if name.endswith(".modelyard.io")]
    if not ours:
        return
    plurals = ",".join(name.removeprefix("customresourcedefinition.apiextensions.k8s.io/") for name in ours)
    left = kubectl.run("get", plurals, "--all-namespaces", "--output", "name").split()
    if left:
        screen.say(f"{len(left)} objects of the kinds exist in other namespaces: the definitions stay")
        return
    kubectl.run("delete", *ours, "--timeout=60s")


def run_helm(site: Site, arguments: Sequence[str], stdin: str | None = None) -> None:
    """Runs helm; raises DemoError with what it said."""
    done = subprocess.run(
        [*site.helm, *arguments], input=stdin, capture_output=True, text=True, timeout=_WAIT_SECONDS + 60, check=False
    )
    if done.returncode:
        raise DemoError(f"helm {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
