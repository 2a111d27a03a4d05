"""The command lines and configuration of what makes this machine a node."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.localcluster.certificates import Identity
from tools.localcluster.components import CLUSTER_DOMAIN, LOOPBACK, POD_RANGE, Setup, local_traffic
from tools.localcluster.network import BRIDGE, NODE_ADDRESS
from tools.localcluster.paths import CONTAINERD_SOCKET, SOURCES
from tools.localcluster.pause import IMAGE
from tools.localcluster.processes import Program

NODE_NAME = "modelyard"
KUBELET_PORT = 10250
DNS_PORT = 53

DNS_RIGHTS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "modelyard:coredns"},
    "rules": [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ],
}
DNS_IDENTITY = Identity("modelyard:coredns")
# The apiserver asks kubelets for logs under a user of its own, which has to be given the right.
KUBELET_CLIENT_IDENTITY = Identity("kube-apiserver-kubelet-client")


def binding(role: str, identity: Identity) -> dict[str, Any]:
    """A ClusterRoleBinding of one user to one role, named like the user."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": identity.user},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": identity.user}],
    }


def containerd(setup: Setup, store: Path) -> Program:
    """Containerd with its images in `store`."""
    run = CONTAINERD_SOCKET.parent
    values = {
        "STORE": store,
        "RUN": run,
        "SOCKET": CONTAINERD_SOCKET,
        "STATE": setup.root,
        "CONFIG": setup.root / "config",
        "PAUSE": IMAGE,
        "RUNC": setup.programs / "runc",
    }
    config = filled((SOURCES / "containerd.toml").read_text(encoding="utf-8"), values)
    _write(setup.root / "config" / "cni" / "10-modelyard.conflist", json.dumps(pod_network(setup.root), indent=2))
    file = _write(setup.root / "config" / "containerd.toml", config)
    # The shim is looked up on PATH.
    path = f"{setup.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    command = (str(setup.programs / "containerd"), "--config", str(file))
    return Program("containerd", command, {**local_traffic(os.environ), "PATH": path})


def filled(template: str, values: Mapping[str, object]) -> str:
    """A template with its @NAMES@ replaced."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", str(value))
    return template


def pod_network(state: Path) -> dict[str, Any]:
    """The CNI configuration: an address on the bridge. Leaving the machine is masqueraded by a rule of our own."""
    addresses = {"type": "host-local", "ranges": [[{"subnet": POD_RANGE}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True}
    return {
        "cniVersion": "1.0.0",
        "name": NODE_NAME,
        "plugins": [{**bridge, "ipam": {**addresses, "dataDir": str(state / "addresses")}}],
    }


def kubelet(setup: Setup) -> Program:
    """The kubelet: callers are authenticated by certificate or token and authorized by the apiserver."""
    login = setup.kubeconfig("kubelet", Identity(f"system:node:{NODE_NAME}", ("system:nodes",)))
    file = _write(setup.root / "config" / "kubelet.json", json.dumps(kubelet_config(setup), indent=2))
    return setup.program(
        "kubelet",
        f"--config={file}",
        f"--kubeconfig={login}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
        f"--root-dir={setup.root / 'kubelet'}",
    )


def kubelet_config(setup: Setup) -> dict[str, Any]:
    """The KubeletConfiguration; writes the resolv.conf it names."""
    serving = setup.pki.kubernetes.server("kubelet", [NODE_ADDRESS, NODE_NAME])
    # Pods with dnsPolicy Default: the host's own file may name a resolver that only the host reaches.
    resolver = _write(setup.root / "config" / "resolv.conf", f"nameserver {NODE_ADDRESS}\n")
    space = ("nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "port": KUBELET_PORT,
        "healthzPort": 0,
        "tlsCertFile": str(serving.certificate),
        "tlsPrivateKeyFile": str(serving.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(setup.pki.kubernetes.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": str(resolver),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        # A developer's disk is often nearly full; the default of 15 % free would evict every pod.
        "evictionHard": {"memory.available": "100Mi", **dict.fromkeys(space, "1%")},
        # Images come from archives: what is collected as garbage cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(setup.root / "pod-logs"),
        "volumePluginDir": str(setup.root / "volume-plugins"),
    }


def kube_proxy(setup: Setup, health_port: int, metrics_port: int) -> Program:
    """kube-proxy by iptables, with node ports on the node's own address only."""
    return setup.program(
        "kube-proxy",
        f"--kubeconfig={setup.kubeconfig('kube-proxy', Identity('system:kube-proxy'))}",
        f"--hostname-override={NODE_NAME}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={POD_RANGE}",
        f"--nodeport-addresses={POD_RANGE}",
        "--iptables-localhost-nodeports=false",
        # Its default is a write to a sysctl that is read-only in many virtual machines.
        "--conntrack-max-per-core=0",
        f"--healthz-bind-address={LOOPBACK}:{health_port}",
        f"--metrics-bind-address={LOOPBACK}:{metrics_port}",
    )


def coredns(setup: Setup, health_port: int) -> Program:
    """CoreDNS on the node's address; it answers /ready on the health port once it has seen the Services."""
    login = setup.kubeconfig("coredns", DNS_IDENTITY)
    upstream = Path("/etc/resolv.conf")
    config = corefile(login, health_port, upstream if _names_a_server(upstream) else None)
    file = _write(setup.root / "config" / "Corefile", config)
    return setup.program("coredns", "-conf", str(file))


def corefile(login: Path, health_port: int, upstream: Path | None) -> str:
    """CoreDNS's configuration; without an upstream only the cluster's own names are known."""
    forwarding = f"    forward . {upstream}\n" if upstream else ""
    return (
        f".:{DNS_PORT} {{\n"
        f"    bind {NODE_ADDRESS}\n"
        f"    ready {LOOPBACK}:{health_port}\n"
        "    errors\n"
        # The cluster's own names are in memory anyway; a pod asking too early must not be told so for seconds.
        "    cache 30 {\n"
        f"        disable success {CLUSTER_DOMAIN}\n"
        f"        disable denial {CLUSTER_DOMAIN}\n"
        "    }\n"
        f"    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{\n"
        f"        kubeconfig {login}\n"
        "        ttl 5\n"
        "    }\n"
        f"{forwarding}"
        "}\n"
    )


def _names_a_server(resolver: Path) -> bool:
    return resolver.exists() and any(line.startswith("nameserver") for line in resolver.read_text().splitlines())


def _write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path
