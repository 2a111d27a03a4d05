"""Puts a gateway onto a cluster that has none, and takes it away again. Needs kubectl, and Go for the definitions."""

import json

from tools.gateway.definitions import definitions
from tools.gateway.manifests import CLASS, GATEWAY, LABEL, NAME, NAMESPACE, build_everything
from tools.seldon_standin.install import Kubectl, Say

DEFINITION = "httproutes.gateway.networking.k8s.io"
_OURS = f"{LABEL}=traefik"
_TIMEOUT_SECONDS = 120


def install(kubectl: Kubectl, image: str, say: Say = print) -> None:
    """Makes sure that the Gateway `modelyard-gateway/web` takes routes; definitions that are there are left alone.

    Raises:
        KubectlError, ClusterError: it could not be done.
    """
    _define(kubectl, say)
    everything = {"apiVersion": "v1", "kind": "List", "items": build_everything(image)}
    kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=json.dumps(everything))
    here = ("--namespace", NAMESPACE, f"--timeout={_TIMEOUT_SECONDS}s")
    kubectl.run("rollout", "status", f"deployment/{NAME}", *here)
    kubectl.run("wait", "--for=condition=Programmed", f"gateway/{GATEWAY}", *here)
    say(f"Traefik runs: Gateway {NAMESPACE}/{GATEWAY}, class {CLASS}.")


def uninstall(kubectl: Kubectl, say: Say = print) -> None:
    """Removes it; Gateway API's definitions only where they came with it and no route would go with them."""
    kubectl.run("delete", "clusterrole,clusterrolebinding", "--selector", _OURS, "--ignore-not-found")
    kubectl.run("delete", "namespace", "--selector", _OURS, "--ignore-not-found", f"--timeout={_TIMEOUT_SECONDS}s")
    if not kubectl.run("get", "crd", "--selector", _OURS, "--output", "name").strip():
        say("The gateway is gone.")
        return
    kubectl.run("delete", "gatewayclass", "--selector", _OURS, "--ignore-not-found")
    left = kubectl.run("get", f"{DEFINITION},gateways.gateway.networking.k8s.io", "-A", "--output", "name").split()
    if left:
        say(f"The gateway is gone; Gateway API's definitions stay because of {', '.join(left)}.")
        return
    kubectl.run("delete", "crd", "--selector", _OURS, "--ignore-not-found", f"--timeout={_TIMEOUT_SECONDS}s")
    say("The gateway and Gateway API's definitions are gone.")


def _define(kubectl: Kubectl, say: Say) -> None:
    """Gateway API's kinds, where nobody has defined them."""
    found = kubectl.run("get", "crd", DEFINITION, "--ignore-not-found", "--output", "json")
    if found.strip() and LABEL not in json.loads(found)["metadata"].get("labels", {}):
        say("Gateway API is on this cluster: its definitions are left as they are.")
        return
    files = [argument for file in definitions() for argument in ("--filename", str(file))]
    names = kubectl.run("apply", "--server-side", "--force-conflicts", "--output", "name", *files).split()
    kubectl.run("label", "--overwrite", *names, _OURS)
    kubectl.run("wait", "--for=condition=Established", f"--timeout={_TIMEOUT_SECONDS}s", *names)
