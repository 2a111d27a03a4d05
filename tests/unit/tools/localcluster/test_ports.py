"""Ports: which are free, which are taken and by whom."""

import socket
from ipaddress import IPv4Address, IPv6Address

from tools.localcluster.ports import FREE_PORTS, Listener, free_ports, holder, listeners, parse_listeners, taken_on

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0"
LISTENING = f"   0: 0100F40A:192B 00000000:0000 0A {REST} 4711 1 0000000000000000 100 0 0 10 0\n"
CONNECTED = f"   1: 0100007F:192B 0100007F:C350 01 {REST} 4712 1 0000000000000000 20 4 30 10 -1\n"
EVERYWHERE_V6 = f"   0: {'0' * 32}:0035 {'0' * 32}:0000 0A {REST} 99 1 0000000000000000 100 0 0 10 0\n"


def listener(address: str, port: int) -> Listener:
    return Listener(IPv4Address(address), port, "1")


def test_free_ports_are_different_and_below_those_of_outgoing_connections() -> None:
    found = free_ports(5)
    assert len(set(found)) == 5
    assert all(port in FREE_PORTS for port in found)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_ports(1)[0]))
        taken.listen()
        everything = free_ports(len(FREE_PORTS) // 2)
        assert taken.getsockname()[1] not in everything


def test_only_listening_sockets_are_read_from_the_kernels_table() -> None:
    assert parse_listeners(HEADER + LISTENING + CONNECTED) == [Listener(IPv4Address("10.244.0.1"), 6443, "4711")]


def test_the_table_of_ipv6_sockets_is_read_too() -> None:
    assert parse_listeners(HEADER + EVERYWHERE_V6) == [Listener(IPv6Address("::"), 53, "99")]


def test_a_listener_on_every_address_is_in_the_way() -> None:
    everywhere = [listener("0.0.0.0", 53), Listener(IPv6Address("::"), 53, "1")]  # noqa: S104 - read from a table, not bound
    assert taken_on([53], "10.244.0.1", everywhere) == everywhere


def test_a_listener_on_another_address_or_port_is_not_in_the_way() -> None:
    assert taken_on([53], "10.244.0.1", [listener("127.0.0.53", 53), listener("10.244.0.1", 54)]) == []


def test_the_holder_of_a_port_is_named() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = taken_on([port], "127.0.0.1", listeners())
        assert "(python" in holder(found[0].inode) or "(pytest" in holder(found[0].inode)
