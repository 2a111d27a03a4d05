"""Starts the node, on a machine where nothing of an earlier one is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.localcluster import network, node, volumes
from tools.localcluster.components import (
    LOOPBACK,
    Pki,
    Ports,
    Setup,
    apiserver,
    audit_flags,
    controller_manager,
    etcd,
    scheduler,
)
from tools.localcluster.controlplane import wait_for_apiserver, wait_for_controllers
from tools.localcluster.images import ctr, has_image, import_archive
from tools.localcluster.kubeconfig import Endpoint, certificate_user, write_kubeconfig
from tools.localcluster.paths import CONTAINERD_SOCKET, State
from tools.localcluster.pause import IMAGE, write_archive
from tools.localcluster.ports import free_ports
from tools.localcluster.processes import ProcessFolder, wait_until
from tools.localcluster.progress import Steps
from tools.localcluster.rest import Rest, answers

READY_SECONDS = 90
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PROGRAMS = (
    "etcd",
    "containerd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
)


@dataclass(frozen=True)
class NodeStart:
    """One start of the node; the methods are its steps in order."""

    setup: Setup
    state: State
    processes: ProcessFolder
    steps: Steps

    def run(self) -> None:
        """All steps; the node takes pods when this returns."""
        with self.steps.step("network"):
            network.set_up(self.setup.ports.apiserver)
        with self.steps.step("etcd, apiserver, containerd"):
            self._start_lower_half()
        with self.steps.step("controllers, scheduler, kubelet, kube-proxy, DNS"):
            self._start_upper_half()

    @property
    def _rest(self) -> Rest:
        return Rest(self.setup.endpoint, self.setup.pki.administrator)

    def _start_lower_half(self) -> None:
        self.processes.start(etcd(self.setup))
        flags = audit_flags(self.state.audit_log)
        self.processes.start(apiserver(self.setup, [LOOPBACK, "localhost"], flags))
        self._start_containerd()
        wait_for_apiserver(self._rest, self.processes)
        administrator = certificate_user(self.setup.pki.administrator)
        write_kubeconfig(self.state.kubeconfig, loopback_endpoint(self.setup), administrator)

    def _start_containerd(self) -> None:
        self._start_and_await_containerd()
        if forget_containers():
            # It keeps pods in memory that are no longer in its store.
            self.processes.kill("containerd")
            self._start_and_await_containerd()
        if not has_image(IMAGE):
            archive = self.state.config / "pause.tar"
            write_archive(archive, IMAGE, self.setup.programs / "pause")
            import_archive(archive)

    def _start_and_await_containerd(self) -> None:
        # A socket of a killed containerd would look like one that is ready.
        CONTAINERD_SOCKET.unlink(missing_ok=True)
        self.processes.start(node.containerd(self.setup, self.state.image_store))

        def listens() -> bool:
            self.processes.check_alive("containerd")
            return CONTAINERD_SOCKET.exists()

        wait_until(listens, f"containerd ({self.processes.log('containerd')})", READY_SECONDS)

    def _start_upper_half(self) -> None:
        dns_port, proxy_port, metrics_port = free_ports(3)
        for path, body in rights():
            self._rest.post(f"{RBAC}/{path}", body)
        self._offer_volumes()
        self.processes.start(controller_manager(self.setup))
        self.processes.start(scheduler(self.setup))
        self.processes.start(node.kubelet(self.setup))
        self.processes.start(node.kube_proxy(self.setup, proxy_port, metrics_port))
        self.processes.start(node.coredns(self.setup, dns_port))
        wait_for_controllers(self._rest, self.processes)
        self._wait_for("kube-proxy", lambda: answers(f"http://{LOOPBACK}:{proxy_port}/healthz"))
        self._wait_for("coredns", lambda: answers(f"http://{LOOPBACK}:{dns_port}/ready"))
        self._wait_for("kubelet", self._node_is_ready)

    def _offer_volumes(self) -> None:
        self._rest.post(volumes.CLASSES, volumes.storage_class())
        for folder in volumes.make_folders(self.state.root):
            self._rest.post(volumes.VOLUMES, volumes.volume(folder))

    def _wait_for(self, name: str, is_ready: Callable[[], bool]) -> None:
        def ready() -> bool:
            for started in self.processes.names():
                self.processes.check_alive(started)
            return is_ready()

        wait_until(ready, f"{name} ({self.processes.log(name)})", READY_SECONDS)

    def _node_is_ready(self) -> bool:
        path = f"/api/v1/nodes/{node.NODE_NAME}"
        return self._rest.is_ok(path) and is_ready(self._rest.get(path))


def is_ready(found: dict[str, Any]) -> bool:
    """Whether a Node object says that it takes pods: ready, and without the taint of one that was not."""
    conditions: Sequence[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    tainted = bool(found.get("spec", {}).get("taints"))
    return not tainted and any(said["type"] == "Ready" and said["status"] == "True" for said in conditions)


def rights() -> list[tuple[str, dict[str, Any]]]:
    """What DNS and the apiserver's calls to the kubelet need beyond Kubernetes' own roles."""
    return [
        ("clusterroles", node.DNS_RIGHTS),
        ("clusterrolebindings", node.binding("modelyard:coredns", node.DNS_IDENTITY)),
        ("clusterrolebindings", node.binding("system:kubelet-api-admin", node.KUBELET_CLIENT_IDENTITY)),
    ]


def loopback_endpoint(setup: Setup) -> Endpoint:
    """Where the host's users reach the apiserver: clients leave proxies aside for loopback addresses."""
    return Endpoint(f"https://{LOOPBACK}:{setup.ports.apiserver}", setup.pki.kubernetes.certificate)


def forget_containers() -> bool:
    """Removes what containerd remembers of an earlier node's containers; whether there was anything."""
    containers = ctr("containers", "list", "--quiet").split()
    sandboxes = [line.split()[0] for line in ctr("sandboxes", "list").splitlines()[1:] if line.strip()]
    if containers:
        ctr("containers", "delete", *containers)
    if sandboxes:
        ctr("sandboxes", "remove", "--force", *sandboxes)
    return bool(containers or sandboxes)


def new_setup(programs: Path, state: State, port: int) -> Setup:
    """A new node's setup with new certificates."""
    etcd_client, etcd_peer, controllers, scheduling = free_ports(4)
    ports = Ports(port, etcd_client, etcd_peer, controllers, scheduling)
    return Setup(programs, state.root, ports, Pki(state.pki), network.NODE_ADDRESS)
