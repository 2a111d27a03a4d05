"""What must be so before a cluster is started; each check raises one clear sentence."""

import os
import sys

from tools.localcluster import network
from tools.localcluster.build import check_disk
from tools.localcluster.components import POD_RANGE, SERVICE_RANGE
from tools.localcluster.errors import ClusterError
from tools.localcluster.node import DNS_PORT, KUBELET_PORT
from tools.localcluster.paths import State
from tools.localcluster.ports import Listener, holder, listeners, taken_on

NEEDED_GIB = 6


def check_machine() -> None:
    """This is Linux, and we are root."""
    if sys.platform != "linux":
        raise ClusterError(
            f"the local cluster runs on Linux, this is {sys.platform}: use a cluster of your own instead"
        )
    if os.geteuid() != 0:
        raise ClusterError("the local cluster mounts file systems and sets up a network: run this as root (sudo)")


def check_room(state: State) -> None:
    """The disk holds images and containers."""
    check_disk(state.root, NEEDED_GIB, "for images and containers")


def check_network(apiserver_port: int) -> None:
    """No listener and no route is in the way of the cluster's own."""
    found = listeners()
    wanted = taken_on([apiserver_port, KUBELET_PORT, DNS_PORT], network.NODE_ADDRESS, found)
    loopback = taken_on([apiserver_port], "127.0.0.1", found)
    for listener in [*wanted, *loopback]:
        raise ClusterError(port_conflict(listener, apiserver_port))
    if route := network.overlapping_route(network.routes()):
        raise ClusterError(
            f"the cluster's addresses {POD_RANGE} and {SERVICE_RANGE} are in use here: route {route};"
            " end what made it (another Kubernetes, a VPN)"
        )


def port_conflict(listener: Listener, apiserver_port: int) -> str:
    """Which port is taken by whom, and what to do."""
    owner = holder(listener.inode)
    cures = {
        apiserver_port: "end it, or choose another port with MODELYARD_API_PORT",
        KUBELET_PORT: "end it: it is another Kubernetes node's port, and a machine holds one node",
        DNS_PORT: "end it, or let it listen on 127.0.0.1 only, for pods ask their DNS there",
    }
    return f"port {listener.port} is taken by {owner} on {listener.address}: {cures[listener.port]}"
