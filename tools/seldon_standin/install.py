"""Puts the stand-in into a cluster that has no Seldon, and takes it away again. Needs only kubectl."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.seldon_standin.manifests import CRD_FILE, CRD_NAME, NAME, NAMESPACE, STAND_IN_LABEL, standin_manifests
from tools.seldon_standin.render import Manifest

_REAL_MANAGER = "control-plane=seldon-controller-manager"
_OURS = f"{STAND_IN_LABEL}=seldon"
TIMEOUT_SECONDS = 180

Say = Callable[[str], object]


class KubectlError(Exception):
    """kubectl did not succeed; the text is what it said."""


@dataclass(frozen=True)
class Kubectl:
    """A kubectl and the cluster it speaks to; without kubeconfig and context its own defaults hold."""

    program: str = "kubectl"
    kubeconfig: str | None = None
    context: str | None = None

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Its standard output; raises KubectlError."""
        command = [*self._command(), *arguments]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT_SECONDS + 30, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise KubectlError(f"{' '.join(command)}: {error}") from error
        if done.returncode:
            raise KubectlError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _command(self) -> Sequence[str]:
        command = [self.program]
        if self.kubeconfig:
            command += ["--kubeconfig", self.kubeconfig]
        if self.context:
            command += ["--context", self.context]
        return command


def seldon_is_installed(kubectl: Kubectl) -> bool:
    """Whether a Seldon that is not the stand-in is on the cluster; raises KubectlError."""
    return find_seldon(kubectl) is not None


def find_seldon(kubectl: Kubectl) -> str | None:
    """What gives a real Seldon away, as half a sentence, or None; raises KubectlError."""
    managers = _items(kubectl, "deployments.apps", "--all-namespaces", "--selector", _REAL_MANAGER)
    if managers:
        metadata = managers[0]["metadata"]
        return f"the Deployment {metadata['namespace']}/{metadata['name']}"
    definition = kubectl.run("get", "crd", CRD_NAME, "--ignore-not-found", "--output", "json")
    if definition.strip() and json.loads(definition)["metadata"].get("labels", {}).get(STAND_IN_LABEL) != "seldon":
        return f"the definition {CRD_NAME}"
    return None


def install(kubectl: Kubectl, image: str, say: Say = print) -> None:
    """Makes sure that SeldonDeployments are served and worked on; leaves a real Seldon alone."""
    found = find_seldon(kubectl)
    if found:
        say(f"Seldon is on this cluster ({found}): it is used, no stand-in is installed.")
        return
    say("No Seldon on this cluster: installing a stand-in that behaves like Seldon Core 1.17.1 for simple models.")
    kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", str(CRD_FILE))
    kubectl.run("wait", "--for=condition=Established", "--timeout=60s", f"crd/{CRD_NAME}")
    everything = {"apiVersion": "v1", "kind": "List", "items": standin_manifests(image)}
    kubectl.run("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=json.dumps(everything))
    kubectl.run("rollout", "status", f"deployment/{NAME}", "--namespace", NAMESPACE, f"--timeout={TIMEOUT_SECONDS}s")
    say(f"The stand-in runs: Deployment {NAMESPACE}/{NAME}.")


def uninstall(kubectl: Kubectl, say: Say = print) -> None:
    """Removes the stand-in; its CRD only while no SeldonDeployment would go with it."""
    kubectl.run("delete", "clusterrole,clusterrolebinding", "--selector", _OURS, "--ignore-not-found")
    kubectl.run("delete", "namespace", "--selector", _OURS, "--ignore-not-found", f"--timeout={TIMEOUT_SECONDS}s")
    if not _items(kubectl, "crd", "--selector", _OURS):
        say("The stand-in is gone.")
        return
    left = _items(kubectl, CRD_NAME, "--all-namespaces")
    if left:
        say(
            f"The stand-in is gone, but its definition {CRD_NAME} stays because {len(left)} SeldonDeployments exist. "
            "Delete them and uninstall again."
        )
        return
    kubectl.run("delete", "crd", "--selector", _OURS, "--ignore-not-found", f"--timeout={TIMEOUT_SECONDS}s")
    say("The stand-in and its definition are gone.")


def _items(kubectl: Kubectl, *what: str) -> list[Manifest]:
    items: list[Manifest] = json.loads(kubectl.run("get", *what, "--output", "json"))["items"]
    return items
