"""A control plane without a node, for tests: etcd, apiserver and controllers on free loopback ports, in one folder."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tools.localcluster.build import ensure_built
from tools.localcluster.certificates import Identity
from tools.localcluster.components import (
    LOOPBACK,
    Pki,
    Ports,
    Setup,
    apiserver,
    audit_flags,
    controller_manager,
    etcd,
)
from tools.localcluster.kubeconfig import certificate_user, token_user, write_kubeconfig
from tools.localcluster.ports import free_ports
from tools.localcluster.processes import DIES_WITH_PARENT, ProcessFolder, Program, wait_until
from tools.localcluster.rest import Rest

READY_SECONDS = 60
TOKEN_SECONDS = 24 * 3600


def wait_for_apiserver(rest: Rest, processes: ProcessFolder) -> None:
    """Waits until the apiserver says it is ready; raises with the log's end where a process died meanwhile."""

    def ready() -> bool:
        processes.check_alive("etcd")
        processes.check_alive("kube-apiserver")
        return rest.is_ok("/readyz")

    wait_until(ready, f"the apiserver ({processes.log('kube-apiserver')})", READY_SECONDS)


def wait_for_controllers(rest: Rest, processes: ProcessFolder) -> None:
    """Waits until pods can be created in the namespace `default`: until its service account is there."""

    def ready() -> bool:
        processes.check_alive("kube-controller-manager")
        return rest.is_ok("/api/v1/namespaces/default/serviceaccounts/default")

    wait_until(ready, f"the controller manager ({processes.log('kube-controller-manager')})", READY_SECONDS)


class ControlPlane:
    """A real Kubernetes API beside anything else on this machine; needs no root.

    Its processes end with the `with` block, and also with the thread that entered it, however that ends.
    An empty `controllers` starts no controller manager. `apiserver_flags` come after all others.
    """

    def __init__(
        self,
        directory: Path,
        *,
        controllers: Sequence[str] = ("*",),
        audit: bool = True,
        apiserver_flags: Sequence[str] = (),
    ) -> None:
        self._directory = directory.resolve()
        self._controllers = tuple(controllers)
        # Without pods nobody needs the Service `kubernetes`, and a loopback address may not be its endpoint.
        reconciler = "--endpoint-reconciler-type=none"
        self._flags = [reconciler, *(audit_flags(self.audit_log) if audit else []), *apiserver_flags]
        self._processes = ProcessFolder(self._directory / "pids", self._directory / "logs", DIES_WITH_PARENT)

    def __enter__(self) -> Self:
        """Starts everything; ready when this returns."""
        self.programs = ensure_built()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._setup = Setup(self.programs, self._directory, Ports(*free_ports(5)), Pki(self._directory / "pki"))
        self._rest = Rest(self._setup.endpoint, self._setup.pki.administrator)
        self.kubeconfig = self.kubeconfig_for("admin", ("system:masters",))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends every process. The folder with logs and audit log is left to the caller."""
        self.stop()

    @property
    def url(self) -> str:
        """The apiserver's address."""
        return self._setup.endpoint.url

    @property
    def ca_file(self) -> Path:
        """The authority that signed the apiserver's certificate."""
        return self._setup.endpoint.ca_file

    @property
    def kubectl(self) -> Path:
        """The kubectl of the apiserver's version."""
        return self.programs / "kubectl"

    @property
    def audit_log(self) -> Path:
        """One line of JSON for each answered request; absent with `audit=False`."""
        return self._directory / "audit.log"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self._directory / "logs"

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig that logs in as a user with groups, by a client certificate."""
        name = "user-" + quote(",".join([user, *groups]), safe="")
        pair = self._setup.pki.kubernetes.client(name, Identity(user, tuple(groups)))
        return write_kubeconfig(self._directory / f"{name}.kubeconfig", self._setup.endpoint, certificate_user(pair))

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig that logs in as an existing service account, with a token that is valid for a day."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        answer = self._rest.post(path, {**wanted, "spec": {"expirationSeconds": TOKEN_SECONDS}})
        file = self._directory / f"service-account-{namespace}-{name}.kubeconfig"
        return write_kubeconfig(file, self._setup.endpoint, token_user(answer["status"]["token"]))

    def stop_apiserver(self) -> None:
        """Kills the apiserver (SIGKILL); etcd and the controllers stay."""
        self._processes.kill("kube-apiserver")

    def start_apiserver(self) -> None:
        """Starts the apiserver again on the same port; ready when this returns."""
        self._processes.start(self._apiserver())
        wait_for_apiserver(self._rest, self._processes)

    def stop(self) -> None:
        """Kills every process of this control plane; those that are gone already are no error."""
        for name in reversed(self._processes.names()):
            self._processes.kill(name)

    def _start(self) -> None:
        self._processes.start(etcd(self._setup))
        self.start_apiserver()
        if self._controllers:
            self._processes.start(controller_manager(self._setup, self._controllers))
            wait_for_controllers(self._rest, self._processes)

    def _apiserver(self) -> Program:
        return apiserver(self._setup, [LOOPBACK, "localhost"], self._flags)
