"""The node's network: a bridge with the node's address, and rules that keep everyone else away from it."""

import contextlib
import ipaddress
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.localcluster.components import LOOPBACK, POD_RANGE, SERVICE_RANGE
from tools.localcluster.errors import ClusterError

BRIDGE = "modelyard0"
# The node's address, the pods' gateway, and where the apiserver, the kubelet and the DNS listen.
NODE_ADDRESS = "10.244.0.1"
BRIDGE_MAC = "0a:58:0a:f4:00:01"
"""Without one of its own the bridge takes the lowest of its ports', which changes with the pods: packets get lost."""
CHAIN = "MODELYARD"
# What comes from elsewhere is dropped before kube-proxy rewrites its target, and so would let it through to a Service.
# Two addresses of this host talk over `lo`. The filter rules are for hosts whose firewall forbids what is not allowed.
RULES = f"""\
*raw
:{CHAIN}-PREROUTING - [0:0]
-A {CHAIN}-PREROUTING -i lo -j RETURN
-A {CHAIN}-PREROUTING -i {BRIDGE} -j RETURN
-A {CHAIN}-PREROUTING -d {POD_RANGE} -j DROP
-A {CHAIN}-PREROUTING -d {SERVICE_RANGE} -j DROP
COMMIT
*filter
:{CHAIN}-INPUT - [0:0]
:{CHAIN}-FORWARD - [0:0]
-A {CHAIN}-INPUT -i {BRIDGE} -d {NODE_ADDRESS} -j ACCEPT
-A {CHAIN}-FORWARD -i {BRIDGE} -j ACCEPT
-A {CHAIN}-FORWARD -o {BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:{CHAIN}-OUTPUT - [0:0]
:{CHAIN}-POSTROUTING - [0:0]
-A {CHAIN}-OUTPUT -p tcp -d {LOOPBACK} --dport %(port)d -j DNAT --to-destination {NODE_ADDRESS}:%(port)d
-A {CHAIN}-POSTROUTING -s {POD_RANGE} ! -d {POD_RANGE} -j MASQUERADE
COMMIT
"""
JUMPS = (
    ("raw", "PREROUTING"),
    ("filter", "INPUT"),
    ("filter", "FORWARD"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
)


def set_up(apiserver_port: int) -> None:
    """Makes the bridge and its rules: pods and this host reach the node's address, nobody else does."""
    _run("ip", "link", "add", BRIDGE, "address", BRIDGE_MAC, "type", "bridge")
    _run("ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")
    _route_between_pods()
    # The rules before anything listens.
    _run("iptables-restore", "--wait", "--noflush", given=RULES % {"port": apiserver_port})
    for table, chain in JUMPS:
        _run("iptables", "--wait", "-t", table, "-I", chain, "-j", f"{CHAIN}-{chain}")


def _route_between_pods() -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
    # Pods reach each other through Services only where the bridge shows its packets to iptables.
    bridged = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if not bridged.exists():
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    if not bridged.exists():
        raise ClusterError("this kernel has no br_netfilter, which Services need: load the module br_netfilter")
    bridged.write_text("1", encoding="ascii")


def routes() -> list[dict[str, Any]]:
    """The host's IPv4 routes."""
    parsed: list[dict[str, Any]] = json.loads(_run("ip", "-json", "-4", "route", "show") or "[]")
    return parsed


def overlapping_route(found: Iterable[Mapping[str, Any]]) -> str | None:
    """A route of another link that would take packets away from the cluster's addresses, in words."""
    ours = [ipaddress.IPv4Network(text) for text in (POD_RANGE, SERVICE_RANGE)]
    for route in found:
        if route["dst"] == "default" or route.get("dev") == BRIDGE:
            continue
        network = ipaddress.IPv4Network(route["dst"], strict=False)
        # A wider route (a VPN's 10.0.0.0/8) gives way to the cluster's narrower one.
        if any(network.subnet_of(own) for own in ours):
            return f"{route['dst']} on {route.get('dev', 'an unknown link')}"
    return None


def attached_links() -> list[str]:
    """The links whose master is the bridge."""
    shown = _run_unchecked("ip", "-json", "link", "show", "master", BRIDGE)
    return [link["ifname"] for link in json.loads(shown or "[]")]


def bridge_exists() -> bool:
    """Whether the bridge is there."""
    return Path(f"/sys/class/net/{BRIDGE}").exists()


def remove_links() -> None:
    """Removes the bridge and what is attached to it."""
    for link in attached_links() if bridge_exists() else []:
        # A pod's end may vanish on its own at the same moment, together with its network namespace.
        _run_unchecked("ip", "link", "delete", link)
    if bridge_exists():
        _run("ip", "link", "delete", BRIDGE)


def remove_rules() -> None:
    """Removes every rule and chain of the cluster, also those the kubelet and kube-proxy leave behind."""
    for family in ("iptables", "ip6tables"):
        # A kernel without IPv6 has no rules for it.
        script = removal_script(_run_unchecked(f"{family}-save"))
        if script:
            _run(f"{family}-restore", "--wait", "--noflush", given=script)


def has_rules() -> bool:
    """Whether rules of the cluster are left."""
    return any(removal_script(_run_unchecked(f"{family}-save")) for family in ("iptables", "ip6tables"))


def is_ours(chain: str) -> bool:
    """Whether a chain belongs to the cluster: one of our own, or Kubernetes' (a machine holds one kubelet)."""
    return chain.startswith((f"{CHAIN}-", "KUBE-"))


def removal_script(saved: str) -> str:
    """The iptables-restore input that takes the cluster's chains and the jumps to them out of a saved rule set."""
    script: list[str] = []
    for table, lines in _tables(saved):
        chains = [chain for line in lines if line.startswith(":") and is_ours(chain := line[1:].split()[0])]
        jumps = [line for line in lines if line.startswith("-A ") and _jumps_to(line, chains)]
        if chains:
            flushed = [f":{chain} - [0:0]" for chain in chains]
            removed = [f"-D{line[2:]}" for line in jumps if line.split()[1] not in chains]
            script += [f"*{table}", *flushed, *removed, *(f"-X {chain}" for chain in chains), "COMMIT"]
    return "".join(f"{line}\n" for line in script)


def _tables(saved: str) -> list[tuple[str, list[str]]]:
    tables: list[tuple[str, list[str]]] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append((line[1:], []))
        elif tables:
            tables[-1][1].append(line)
    return tables


def _jumps_to(rule: str, chains: Sequence[str]) -> bool:
    words = rule.split()
    return any(option in ("-j", "-g") and target in chains for option, target in pairwise(words))


def _run(*argv: str, given: str | None = None) -> str:
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"`{' '.join(argv)}` failed: {done.stderr.strip()}")
    return done.stdout


def _run_unchecked(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
