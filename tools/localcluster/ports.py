"""Which TCP ports are free, and who holds those that are not."""

import contextlib
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from tools.localcluster.errors import ClusterError

# Below Linux's range for outgoing connections, so that no connection takes a port while its server is being restarted.
FREE_PORTS = range(20000, 32000)
LISTEN_STATE = "0A"


def free_ports(count: int) -> list[int]:
    """That many different ports nobody listens on at 127.0.0.1 right now."""
    found: list[int] = []
    for port in random.sample(FREE_PORTS, k=len(FREE_PORTS)):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise ClusterError(f"fewer than {count} free ports between {FREE_PORTS.start} and {FREE_PORTS.stop} on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Listener:
    """A listening socket: its address, port and inode."""

    address: IPv4Address | IPv6Address
    port: int
    inode: str


def parse_listeners(table: str) -> list[Listener]:
    """The listening sockets of a /proc/net/tcp or tcp6 table."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return [_listener(row[1], row[9]) for row in rows if len(row) > 9 and row[3] == LISTEN_STATE]


def _listener(local: str, inode: str) -> Listener:
    address, _, port = local.partition(":")
    raw = bytes.fromhex(address)
    # The kernel prints each 32-bit word in the machine's byte order (little endian here and on arm64).
    octets = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    parsed = IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)
    return Listener(parsed, int(port, 16), inode)


def listeners() -> list[Listener]:
    """Every listening TCP socket of this network namespace."""
    tables = [path for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
    return [found for table in tables for found in parse_listeners(table.read_text(encoding="ascii"))]


def taken_on(ports: Iterable[int], address: str, found: Iterable[Listener]) -> list[Listener]:
    """The listeners that would keep one from listening on these ports at an IPv4 address."""
    wanted = set(ports)
    clashing = (IPv4Address(address), IPv4Address("0.0.0.0"), IPv6Address("::"))  # noqa: S104 - compared, not bound
    return [listener for listener in found if listener.port in wanted and listener.address in clashing]


def holder(inode: str) -> str:
    """Who holds a socket, in words; needs root for other users' processes."""
    target = f"socket:[{inode}]"
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == target:
                process = descriptor.parent.parent
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return "another process"
