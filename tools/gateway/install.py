"""Puts Traefik onto a cluster, and takes it away again. Needs kubectl, and Go for the definitions."""

import json

from tools.gateway.kinds import APPLY, LABEL, TIMEOUT_SECONDS, are_ours, define, undefine
from tools.gateway.manifests import CLASS, GATEWAY, NAME, NAMESPACE, build_everything
from tools.seldon_standin.install import Kubectl, Say

_OURS = f"{LABEL}=traefik"


def install(kubectl: Kubectl, image: str, say: Say = print) -> None:
    """Makes sure that the Gateway `modelyard-gateway/web` takes routes; definitions that are there are left alone.

    Raises:
        KubectlError, ClusterError: it could not be done.
    """
    define(kubectl, say)
    everything = {"apiVersion": "v1", "kind": "List", "items": build_everything(image)}
    kubectl.run(*APPLY, "--filename", "-", stdin=json.dumps(everything))
    here = ("--namespace", NAMESPACE, f"--timeout={TIMEOUT_SECONDS}s")
    kubectl.run("rollout", "status", f"deployment/{NAME}", *here)
    kubectl.run("wait", "--for=condition=Programmed", f"gateway/{GATEWAY}", *here)
    say(f"Traefik runs: Gateway {NAMESPACE}/{GATEWAY}, class {CLASS}.")


def uninstall(kubectl: Kubectl, say: Say = print) -> None:
    """Removes it; Gateway API's definitions only where they came with a gateway and no route would go with them."""
    kubectl.run("delete", "clusterrole,clusterrolebinding", "--selector", _OURS, "--ignore-not-found")
    kubectl.run("delete", "namespace", "--selector", _OURS, "--ignore-not-found", f"--timeout={TIMEOUT_SECONDS}s")
    if not are_ours(kubectl):
        say("The gateway is gone.")
        return
    kubectl.run("delete", "gatewayclass", "--selector", _OURS, "--ignore-not-found")
    undefine(kubectl, say)
