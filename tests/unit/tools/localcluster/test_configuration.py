"""Command lines and configuration: safe, and the same for the tests' control plane and for the node."""

import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from tools.localcluster import cluster, node, pause, volumes
from tools.localcluster.checks import check_machine, port_conflict
from tools.localcluster.components import (
    Pki,
    Ports,
    Setup,
    apiserver,
    controller_manager,
    etcd,
    local_traffic,
    scheduler,
)
from tools.localcluster.errors import ClusterError
from tools.localcluster.ports import parse_listeners
from tools.localcluster.start import is_ready


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    root = tmp_path_factory.mktemp("cluster")
    return Setup(Path("/bin"), root, Ports(6443, 1, 2, 3, 4), Pki(root / "pki"), "10.244.0.1")


def flags(arguments: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, _, value in (argument.partition("=") for argument in arguments[1:])}


def test_the_apiserver_authorizes_by_node_and_rbac_and_knows_no_anonymous(setup: Setup) -> None:
    found = flags(apiserver(setup, []).argv)
    assert found["--authorization-mode"] == "Node,RBAC"
    assert found["--enable-admission-plugins"] == "NodeRestriction"
    assert found["--anonymous-auth"] == "false"


def test_the_apiserver_binds_the_address_of_its_setup_only(setup: Setup) -> None:
    assert flags(apiserver(setup, []).argv)["--bind-address"] == "10.244.0.1"


def test_etcd_asks_clients_and_peers_for_certificates_of_its_own_authority(setup: Setup) -> None:
    found = flags(etcd(setup).argv)
    assert "--client-cert-auth" in found
    assert "--peer-client-cert-auth" in found
    assert found["--trusted-ca-file"] == str(setup.pki.etcd.certificate)
    assert setup.pki.etcd.certificate != setup.pki.kubernetes.certificate


def test_whoever_the_apiserver_lets_in_cannot_speak_for_others_to_further_api_servers(setup: Setup) -> None:
    found = flags(apiserver(setup, []).argv)
    assert found["--requestheader-allowed-names"] == "front-proxy-client"
    assert found["--requestheader-client-ca-file"] == str(setup.pki.front_proxy.certificate)
    assert found["--requestheader-client-ca-file"] != found["--client-ca-file"]


def test_etcd_and_the_controllers_listen_on_loopback(setup: Setup) -> None:
    assert flags(etcd(setup).argv)["--listen-client-urls"] == "https://127.0.0.1:1"
    programs = [controller_manager(setup), scheduler(setup)]
    assert [flags(program.argv)["--bind-address"] for program in programs] == ["127.0.0.1"] * 2


def test_only_the_wanted_controllers_are_started(setup: Setup) -> None:
    found = flags(controller_manager(setup, ["job-controller", "namespace-controller"]).argv)
    assert found["--controllers"] == "job-controller,namespace-controller"


def test_the_kubelet_lets_in_nobody_the_apiserver_does_not_know(setup: Setup) -> None:
    config = node.kubelet_config(setup)
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authorization"] == {"mode": "Webhook"}


def test_no_word_of_containerds_configuration_stays_unfilled(setup: Setup) -> None:
    program = node.containerd(setup, Path("/store"))
    config = Path(program.argv[-1]).read_text()
    assert 'root = "/store"' in config
    assert "@" not in "".join(line for line in config.splitlines() if not line.startswith("#"))


def test_without_a_resolver_the_dns_knows_the_clusters_names_only() -> None:
    assert "forward" not in node.corefile(Path("/k"), 1, None)
    assert "forward . /etc/resolv.conf" in node.corefile(Path("/k"), 1, Path("/etc/resolv.conf"))


def test_claims_that_name_no_class_get_folders_of_the_cluster(tmp_path: Path) -> None:
    made = [volumes.volume(folder) for folder in volumes.make_folders(tmp_path)]
    annotations = volumes.storage_class()["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert {item["spec"]["storageClassName"] for item in made} == {volumes.storage_class()["metadata"]["name"]}
    assert len({item["metadata"]["name"] for item in made}) == volumes.COUNT
    assert all(Path(item["spec"]["local"]["path"]).is_relative_to(tmp_path) for item in made)
    assert all(Path(item["spec"]["local"]["path"]).is_dir() for item in made)


def test_a_users_proxy_exceptions_are_kept_and_the_clusters_added() -> None:
    assert local_traffic({"no_proxy": "corp.example"})["NO_PROXY"].startswith("corp.example,localhost,")
    assert "10.244.0.0/24" in local_traffic({})["no_proxy"].split(",")


@pytest.mark.parametrize(
    ("conditions", "taints", "ready"),
    [("True", [], True), ("False", [], False), ("True", [{"key": "node.kubernetes.io/not-ready"}], False)],
)
def test_a_node_is_ready_when_it_takes_pods(conditions: str, taints: list[dict[str, str]], ready: bool) -> None:
    found = {"spec": {"taints": taints}, "status": {"conditions": [{"type": "Ready", "status": conditions}]}}
    assert is_ready(found) is ready


def test_a_node_that_just_came_is_not_ready() -> None:
    assert not is_ready({})


def test_a_taken_port_is_told_with_its_number_and_a_cure() -> None:
    zeros = "00000000:00000000 00:00000000 00000000     0        0"
    table = f"header\n 0: 00000000:280A 00000000:0000 0A {zeros} 0 1 0 100 0 0 10 0\n"
    message = port_conflict(parse_listeners(table)[0], 6443)
    assert message.startswith("port 10250 is taken by another process on 0.0.0.0: end it")


def test_a_user_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match="run this as root"):
        check_machine()


def test_a_system_that_is_not_linux_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ClusterError, match="runs on Linux, this is darwin"):
        check_machine()


@pytest.mark.parametrize("value", ["https", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MODELYARD_API_PORT", value)
    with pytest.raises(ClusterError, match=f"MODELYARD_API_PORT is '{value}'"):
        cluster.apiserver_port()


def test_an_image_archive_holds_the_program_and_says_its_name(tmp_path: Path) -> None:
    (tmp_path / "wait").write_bytes(b"program")
    pause.write_archive(tmp_path / "image.tar", "localhost/wait:1", tmp_path / "wait")
    with tarfile.open(tmp_path / "image.tar") as archive:
        manifest = json.load(archive.extractfile("manifest.json") or pytest.fail("no manifest"))
        layer = archive.extractfile(manifest[0]["Layers"][0]) or pytest.fail("no layer")
        with tarfile.open(fileobj=layer) as files:
            assert files.getnames() == ["wait"]
    assert manifest[0]["RepoTags"] == ["localhost/wait:1"]
