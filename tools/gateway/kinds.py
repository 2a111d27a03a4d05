"""Gateway API's kinds on a cluster: defined where nobody has, and taken away by whoever is the last to need them."""

import json

from tools.gateway.definitions import definitions
from tools.seldon_standin.install import Kubectl, Say

LABEL = "modelyard.io/gateway"
"""What everything is removed by; the value is the gateway's name."""
TIMEOUT_SECONDS = 120
# Not checked by kubectl: with new kinds the API server describes itself anew, and on a busy machine that takes long.
APPLY = ("apply", "--server-side", "--force-conflicts", "--validate=false")
_DEFINITION = "httproutes.gateway.networking.k8s.io"
_OURS = f"{LABEL}=definitions"


def define(kubectl: Kubectl, say: Say) -> None:
    """Makes sure that the kinds are there; those that somebody else defined are left alone.

    Raises:
        KubectlError, ClusterError: it could not be done.
    """
    found = kubectl.run("get", "crd", _DEFINITION, "--ignore-not-found", "--output", "json")
    if found.strip() and LABEL not in json.loads(found)["metadata"].get("labels", {}):
        say("Gateway API is on this cluster: its definitions are left as they are.")
        return
    files = [argument for file in definitions() for argument in ("--filename", str(file))]
    names = kubectl.run(*APPLY, "--output", "name", *files).split()
    kubectl.run("label", "--overwrite", *names, _OURS)
    kubectl.run("wait", "--for=condition=Established", f"--timeout={TIMEOUT_SECONDS}s", *names)


def are_ours(kubectl: Kubectl) -> bool:
    """Whether the kinds came with a gateway of this tool."""
    return bool(kubectl.run("get", "crd", "--selector", _OURS, "--output", "name").strip())


def undefine(kubectl: Kubectl, say: Say) -> None:
    """Removes the kinds that came with a gateway, unless somebody's routes or Gateways would go with them."""
    left = kubectl.run("get", f"{_DEFINITION},gateways.gateway.networking.k8s.io", "-A", "--output", "name").split()
    if left:
        say(f"The gateway is gone; Gateway API's definitions stay because of {', '.join(left)}.")
        return
    kubectl.run("delete", "crd", "--selector", _OURS, "--ignore-not-found", f"--timeout={TIMEOUT_SECONDS}s")
    say("The gateway and Gateway API's definitions are gone.")
