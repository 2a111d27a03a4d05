"""Where the demo runs: on this machine's local cluster, or on a cluster one already has."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tools.demo.screen import DemoError, Screen
from tools.localcluster.build import ensure_built
from tools.localcluster.checks import check_machine
from tools.localcluster.owner import FOR_ANYONE, read_owner
from tools.localcluster.packages import BUILD_PACKAGES, NODE_PACKAGES, install_missing
from tools.localcluster.paths import CHECKOUT, cluster_cache, current_state
from tools.localcluster.progress import Steps
from tools.seldon_standin.install import Kubectl

PURPOSE = "demo"


@dataclass(frozen=True)
class Site:
    """A cluster that is ready, and what speaks to it."""

    kubectl: Kubectl
    helm: Sequence[str]
    """The command with the options that choose the cluster."""
    images: Mapping[str, str]
    """References by image name, as the cluster's nodes find them."""
    setup_hint: str
    """What to type first, so that plain `kubectl` means this cluster; may be empty."""


class Place(Protocol):
    """Makes a cluster ready, and leaves it as it was found."""

    def prepare(self, screen: Screen) -> Site:
        """Cluster and images; raises StepFailed."""
        ...

    def site(self) -> Site | None:
        """The cluster that is to be cleaned, None where nothing is left to clean; raises DemoError."""
        ...

    def leave(self) -> None:
        """What is to do after everything was uninstalled; raises DemoError."""
        ...


class LocalPlace:
    """The local cluster: built, started and ended by the demo."""

    def prepare(self, screen: Screen) -> Site:
        """Builds and starts it; raises StepFailed."""
        build(screen)
        with screen.step("Start Kubernetes on this machine", f"the logs in {current_state().logs}"):
            run_tools(["localcluster", "up", "--purpose", PURPOSE])
            run_tools(["images", "load"])
            site = self._site()
            screen.say(*site.kubectl.run("get", "nodes").splitlines())
            screen.say("To look around from another terminal:", f"  {site.setup_hint}")
        return site

    def site(self) -> Site | None:
        """None: nothing needs uninstalling from a cluster that goes as a whole."""
        return None

    def leave(self) -> None:
        """Ends the cluster; raises DemoError where it is not the demo's."""
        owner = read_owner()
        if owner and owner.purpose not in (PURPOSE, FOR_ANYONE):
            raise DemoError(
                f"the local cluster is used by {owner}: end it with `make cluster-down` if you mean that one"
            )
        run_tools(["localcluster", "down"])

    def _site(self) -> Site:
        programs, kubeconfig = ensure_built(), current_state().kubeconfig
        return Site(
            kubectl=Kubectl(str(programs / "kubectl"), str(kubeconfig)),
            helm=[str(programs / "helm"), "--kubeconfig", str(kubeconfig)],
            images=references(None),
            setup_hint=f"export PATH={programs}:$PATH KUBECONFIG={kubeconfig}",
        )


@dataclass(frozen=True)
class GivenPlace:
    """A cluster one already has, named by its context; images reach it by a command or through a registry."""

    context: str
    image_load: str | None
    registry: str | None

    def prepare(self, screen: Screen) -> Site:
        """Hands the images over; raises StepFailed."""
        with screen.step(f"The cluster of context {self.context}", f"kubectl --context {self.context} get nodes"):
            site = self.site()
            screen.say(*site.kubectl.run("get", "nodes").splitlines())
        with screen.step("Build the images and hand them to the cluster"):
            if self.image_load:
                run_tools(["images", "load", "--with", self.image_load])
            elif self.registry:
                run_tools(["images", "push", "--prefix", self.registry])
            else:
                raise DemoError(
                    "say how images get onto this cluster: IMAGE_LOAD='kind load image-archive {archive}' "
                    "or REGISTRY=registry.example.org/path (docs/images.md)"
                )
        return site

    def site(self) -> Site:
        """Its kubectl and helm; raises DemoError where one is missing."""
        for program in ("kubectl", "helm"):
            if shutil.which(program) is None:
                raise DemoError(f"{program} is not on PATH: install it, or add the folder that holds it to PATH")
        return Site(
            kubectl=Kubectl("kubectl", context=self.context),
            helm=["helm", "--kube-context", self.context],
            images=references(self.registry),
            setup_hint=f"kubectl config use-context {self.context}",
        )

    def leave(self) -> None:
        """Nothing: the cluster was there before."""


def build(screen: Screen) -> None:
    """Kubernetes and the images, where they are not built yet; raises StepFailed."""
    logs = cluster_cache() / "logs", cluster_cache().parent / "images" / "logs"
    look_at = [f"the logs in {folder}" for folder in logs]
    with screen.step(
        "Build Kubernetes and the images, where they are not built yet (minutes the first time)", *look_at
    ):
        check_machine()
        packages = (*BUILD_PACKAGES, *NODE_PACKAGES)
        install_missing(packages, cluster_cache() / "logs" / "packages.log", Steps("packages"))
        # One is bound by the processors, the other by disk and network.
        run_tools(["localcluster", "build"], ["images", "build"])


def references(prefix: str | None) -> dict[str, str]:
    """The images' references, those in a registry where a prefix is given."""
    options = ["--prefix", prefix] if prefix else []
    command = [sys.executable, "-m", "tools.images", "refs", *options]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise DemoError(f"`{' '.join(command)}` failed; its output above says why")
    found: dict[str, str] = json.loads(done.stdout)
    return found


def run_tools(*commands: Sequence[str]) -> None:
    """Runs some of this repository's tools at the same time; raises DemoError where one fails."""
    running = [
        subprocess.Popen([sys.executable, "-m", f"tools.{name}", *options], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
        for name, *options in commands
    ]
    codes = [process.wait() for process in running]
    failed = [" ".join(command) for command, code in zip(commands, codes, strict=True) if code]
    if failed:
        raise DemoError(f"`python3 -m tools.{failed[0]}` failed; its output above says why")
