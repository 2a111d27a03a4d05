"""The command lines of the control plane: of the node's as of the tests'."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.localcluster.certificates import Authority, Identity, KeyPair, signing_key
from tools.localcluster.kubeconfig import Endpoint, certificate_user, write_kubeconfig
from tools.localcluster.processes import Program

LOOPBACK = "127.0.0.1"
POD_RANGE = "10.244.0.0/24"
SERVICE_RANGE = "10.96.0.0/16"
APISERVER_SERVICE = "10.96.0.1"
CLUSTER_DOMAIN = "cluster.local"
IN_CLUSTER_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
)
LOCAL_TARGETS = ("localhost", LOOPBACK, POD_RANGE, SERVICE_RANGE, ".svc", f".{CLUSTER_DOMAIN}")
ISSUER = f"https://kubernetes.default.svc.{CLUSTER_DOMAIN}"
AUDIT_POLICY = Path(__file__).with_name("audit-policy.json")

ADMINISTRATOR = Identity("modelyard-admin", ("system:masters",))
FRONT_PROXY = Identity("front-proxy-client")


@dataclass(frozen=True)
class Ports:
    """The ports of one control plane."""

    apiserver: int
    etcd_client: int
    etcd_peer: int
    controller_manager: int
    scheduler: int


class Pki:
    """The authorities of one control plane.

    etcd has its own: whoever may talk to the apiserver may not read etcd. So has what passes requests on to further API
    servers: they believe its word about who is asking.
    """

    def __init__(self, folder: Path) -> None:
        self.kubernetes = Authority(folder, "kubernetes-ca")
        self.etcd = Authority(folder / "etcd", "etcd-ca")
        self.front_proxy = Authority(folder / "front-proxy", "front-proxy-ca")
        self.service_accounts = signing_key(folder / "service-accounts.key")

    @property
    def administrator(self) -> KeyPair:
        """The certificate that may do everything."""
        return self.kubernetes.client("admin", ADMINISTRATOR)


@dataclass(frozen=True)
class Setup:
    """One control plane: its programs' folder, its own folder, where it listens and who signs."""

    programs: Path
    root: Path
    ports: Ports
    pki: Pki
    address: str = LOOPBACK

    @property
    def endpoint(self) -> Endpoint:
        """Where the control plane's own components reach the apiserver."""
        return Endpoint(f"https://{self.address}:{self.ports.apiserver}", self.pki.kubernetes.certificate)

    def kubeconfig(self, name: str, identity: Identity) -> Path:
        """A kubeconfig for a component, in the folder `config`."""
        pair = self.pki.kubernetes.client(name, identity)
        return write_kubeconfig(self.root / "config" / f"{name}.kubeconfig", self.endpoint, certificate_user(pair))

    def program(self, name: str, *arguments: str) -> Program:
        """One of the built programs."""
        return Program(name, (str(self.programs / name), *arguments), local_traffic(os.environ))


def local_traffic(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings that keep the cluster's own traffic away from a proxy the user may need for everything else."""
    named = environment.get("NO_PROXY") or environment.get("no_proxy")
    value = ",".join(filter(None, [named, *LOCAL_TARGETS]))
    return {"NO_PROXY": value, "no_proxy": value}


def etcd(setup: Setup) -> Program:
    """A single etcd on loopback that lets in only the apiserver's certificate."""
    client = f"https://{LOOPBACK}:{setup.ports.etcd_client}"
    peer = f"https://{LOOPBACK}:{setup.ports.etcd_peer}"
    pair = setup.pki.etcd.server("etcd", [LOOPBACK])
    authority = setup.pki.etcd.certificate
    return setup.program(
        "etcd",
        "--name=local",
        f"--data-dir={setup.root / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=local={peer}",
        "--client-cert-auth",
        f"--trusted-ca-file={authority}",
        f"--cert-file={pair.certificate}",
        f"--key-file={pair.key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={authority}",
        f"--peer-cert-file={pair.certificate}",
        f"--peer-key-file={pair.key}",
        # The data is thrown away with the cluster, and survives a killed etcd: only a power cut would lose it.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def apiserver(setup: Setup, hosts: Sequence[str], extra: Sequence[str] = ()) -> Program:
    """An apiserver with Node and RBAC authorization that answers to the given names and addresses."""
    pki = setup.pki
    serving = pki.kubernetes.server("kube-apiserver", [setup.address, APISERVER_SERVICE, *IN_CLUSTER_NAMES, *hosts])
    etcd_client = pki.etcd.client("apiserver-etcd-client", Identity("kube-apiserver"))
    kubelet_client = pki.kubernetes.client("apiserver-kubelet-client", Identity("kube-apiserver-kubelet-client"))
    return setup.program(
        "kube-apiserver",
        f"--bind-address={setup.address}",
        f"--advertise-address={setup.address}",
        f"--secure-port={setup.ports.apiserver}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={pki.kubernetes.certificate}",
        f"--etcd-servers=https://{LOOPBACK}:{setup.ports.etcd_client}",
        f"--etcd-cafile={pki.etcd.certificate}",
        f"--etcd-certfile={etcd_client.certificate}",
        f"--etcd-keyfile={etcd_client.key}",
        f"--kubelet-certificate-authority={pki.kubernetes.certificate}",
        f"--kubelet-client-certificate={kubelet_client.certificate}",
        f"--kubelet-client-key={kubelet_client.key}",
        # Names of nodes are not in any DNS.
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki.service_accounts}",
        f"--service-account-signing-key-file={pki.service_accounts}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=true",
        "--profiling=false",
        *aggregation_flags(pki),
        *extra,
    )


def aggregation_flags(pki: Pki) -> list[str]:
    """Flags that let an apiserver pass requests on to others, such as metrics-server, and say who is asking."""
    pair = pki.front_proxy.client(FRONT_PROXY.user, FRONT_PROXY)
    return [
        f"--requestheader-client-ca-file={pki.front_proxy.certificate}",
        f"--requestheader-allowed-names={FRONT_PROXY.user}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pair.certificate}",
        f"--proxy-client-key-file={pair.key}",
    ]


def audit_flags(log: Path) -> list[str]:
    """Flags that make an apiserver write each answered request as one line of JSON, up to two files of 1 GB."""
    return [
        f"--audit-log-path={log}",
        f"--audit-policy-file={AUDIT_POLICY}",
        "--audit-log-maxsize=1000",
        "--audit-log-maxbackup=1",
    ]


def controller_manager(setup: Setup, controllers: Sequence[str] = ("*",)) -> Program:
    """The controllers, each with its own service account and so its own rights."""
    login = setup.kubeconfig("kube-controller-manager", Identity("system:kube-controller-manager"))
    return setup.program(
        "kube-controller-manager",
        *_served_on(setup, "kube-controller-manager", setup.ports.controller_manager),
        f"--kubeconfig={login}",
        f"--controllers={','.join(controllers)}",
        f"--service-account-private-key-file={setup.pki.service_accounts}",
        f"--root-ca-file={setup.pki.kubernetes.certificate}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        # The default of 20 requests a second would measure this limit instead of the operator.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )


def scheduler(setup: Setup) -> Program:
    """The scheduler."""
    login = setup.kubeconfig("kube-scheduler", Identity("system:kube-scheduler"))
    return setup.program(
        "kube-scheduler",
        *_served_on(setup, "kube-scheduler", setup.ports.scheduler),
        f"--kubeconfig={login}",
        "--leader-elect=false",
        "--profiling=false",
    )


def _served_on(setup: Setup, name: str, port: int) -> tuple[str, ...]:
    pair = setup.pki.kubernetes.server(name, [LOOPBACK])
    return (
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        f"--tls-cert-file={pair.certificate}",
        f"--tls-private-key-file={pair.key}",
    )
