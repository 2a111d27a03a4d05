"""Certificates say who they are for, and for what."""

import subprocess
from pathlib import Path

import pytest

from tools.localcluster.certificates import Authority, Identity, KeyPair, alternative_names, run_openssl, subject
from tools.localcluster.errors import ClusterError


def shown(pair: KeyPair) -> str:
    command = ["openssl", "x509", "-noout", "-text", "-nameopt", "RFC2253", "-in", str(pair.certificate)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def test_groups_are_organizations_and_the_user_is_the_common_name() -> None:
    assert subject(Identity("system:node:n1", ("system:nodes",))) == "/O=system:nodes/CN=system:node:n1"


def test_slashes_in_names_cannot_add_groups() -> None:
    assert subject(Identity("eve/O=system:masters")) == "/CN=eve\\/O=system:masters"


def test_addresses_and_names_are_told_apart() -> None:
    assert alternative_names(["10.0.0.1", "localhost", "::1"]) == "subjectAltName=IP:10.0.0.1,DNS:localhost,IP:::1"


def test_a_client_certificate_cannot_serve(authority: Authority) -> None:
    text = shown(authority.client("alice", Identity("alice", ("team",))))
    assert "Subject: CN=alice,O=team" in text
    assert "TLS Web Client Authentication" in text
    assert "Server Authentication" not in text


def test_a_server_certificate_names_its_hosts_and_is_signed_by_the_authority(authority: Authority) -> None:
    pair = authority.server("api", ["127.0.0.1", "kubernetes"])
    assert "DNS:kubernetes" in shown(pair)
    assert "IP Address:127.0.0.1" in shown(pair)
    verify = ["openssl", "verify", "-CAfile", str(authority.certificate), str(pair.certificate)]
    assert subprocess.run(verify, check=False, capture_output=True).returncode == 0


def test_what_one_name_serves_with_is_not_what_it_logs_in_with(authority: Authority) -> None:
    assert authority.server("kubelet", ["n1"]).certificate != authority.client("kubelet", Identity("n1")).certificate


def test_keys_can_be_read_by_their_owner_only(authority: Authority) -> None:
    assert authority.client("alice", Identity("alice")).key.stat().st_mode & 0o077 == 0


def test_a_certificate_is_made_once(authority: Authority) -> None:
    first = authority.server("api", ["127.0.0.1"]).certificate.read_bytes()
    assert authority.server("api", ["127.0.0.1"]).certificate.read_bytes() == first


def test_what_openssl_complains_about_is_told() -> None:
    with pytest.raises(ClusterError, match=r"openssl x509 failed: .*nowhere"):
        run_openssl("x509", "-in", "/nowhere")
