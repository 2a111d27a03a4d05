"""Puts metrics-server onto the local cluster, and takes it away again."""

import json
import tempfile
import time
from pathlib import Path

from tools.localcluster.images import has_image, import_archive
from tools.metrics.build import image, write_image
from tools.metrics.manifests import API, LABELS, NAME, NAMESPACE, build_everything
from tools.seldon_standin.install import Kubectl, KubectlError, Say

_TIMEOUT_SECONDS = 120
_KINDS = "deployment,service,serviceaccount,rolebinding"


def install(kubectl: Kubectl, say: Say = print) -> None:
    """Makes sure that the cluster tells what its pods use; raises KubectlError, ClusterError."""
    if not has_image(image()):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / f"{NAME}.tar"
            write_image(archive)
            import_archive(archive)
    everything = {"apiVersion": "v1", "kind": "List", "items": build_everything(image())}
    kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=json.dumps(everything))
    limit = f"--timeout={_TIMEOUT_SECONDS}s"
    kubectl.run("rollout", "status", "--namespace", NAMESPACE, f"deployment/{NAME}", limit)
    kubectl.run("wait", "--for=condition=Available", f"apiservice/{API}", limit)
    _await_numbers(kubectl)
    say("metrics-server runs: `kubectl top pods` tells what they use.")


def uninstall(kubectl: Kubectl, say: Say = print) -> None:
    """Removes it; raises KubectlError."""
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    gone = ("--selector", selector, "--ignore-not-found")
    # First: while it leads nowhere, no namespace can be deleted.
    kubectl.run("delete", "apiservice", *gone)
    kubectl.run("delete", _KINDS, "--namespace", NAMESPACE, *gone)
    kubectl.run("delete", "clusterrole,clusterrolebinding", *gone)
    say("metrics-server is gone.")


def _await_numbers(kubectl: Kubectl) -> None:
    """Usage is a difference of two readings, so the first numbers come a while after the start."""
    until = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < until:
        found = kubectl.run("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods")
        if json.loads(found)["items"]:
            return
        time.sleep(1)
    raise KubectlError(f"metrics-server told no pod's usage within {_TIMEOUT_SECONDS} s; see its log in {NAMESPACE}")
