"""What the gateway is installed with, and what of a cluster it leaves alone."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from modelyard.core.gateway import VOUCHED_FOR
from modelyard.core.model_deployment.route import MIRROR, PERCENTAGE_MIRROR
from tools.gateway import envoy, kinds
from tools.gateway import install as module
from tools.gateway.kinds import LABEL
from tools.gateway.manifests import NAMESPACE, PORT, build_everything
from tools.seldon_standin.install import Kubectl, KubectlError

MANIFESTS = {manifest["kind"]: manifest for manifest in build_everything("traefik:1")}


class Cluster(Kubectl):
    """Answers `get` as told, and remembers the rest."""

    def __init__(self, **answers: str) -> None:
        super().__init__()
        object.__setattr__(self, "answers", answers)
        object.__setattr__(self, "done", [])

    def run(self, *arguments: str, stdin: str | None = None) -> str:  # noqa: ARG002 - the signature is Kubectl's
        verb, *rest = arguments
        if verb == "get":
            found: str = self.answers.get(rest[0].split(".")[0], "")
            return found
        done: list[Sequence[str]] = self.done
        done.append((verb, *rest))
        return "customresourcedefinition/a\n" if "name" in rest else ""

    def words(self) -> list[str]:
        return [" ".join(line) for line in self.done]


@pytest.fixture(autouse=True)
def definitions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "httproutes.yaml"
    monkeypatch.setattr(kinds, "definitions", lambda: [file])
    return file


def test_everything_carries_the_label_it_is_removed_by() -> None:
    assert all(manifest["metadata"]["labels"][LABEL] == "traefik" for manifest in MANIFESTS.values())


def test_the_listener_the_service_and_the_program_agree_on_the_port() -> None:
    [listener] = MANIFESTS["Gateway"]["spec"]["listeners"]
    [port] = MANIFESTS["Service"]["spec"]["ports"]
    arguments = MANIFESTS["Deployment"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert listener["port"] == port["port"] == PORT
    assert f"--entrypoints.web.address=:{PORT}" in arguments


def test_it_reads_what_it_may_and_writes_statuses_only() -> None:
    rules: list[dict[str, Any]] = MANIFESTS["ClusterRole"]["rules"]
    written = {resource for rule in rules if "update" in rule["verbs"] for resource in rule["resources"]}
    assert all(resource.endswith("/status") for resource in written)
    assert not {verb for rule in rules for verb in rule["verbs"]} - {"get", "list", "watch", "update"}


def test_definitions_that_are_missing_are_applied_and_marked(definitions: Path) -> None:
    cluster = Cluster()
    module.install(cluster, "traefik:1", print)
    applied, labelled, *_ = cluster.words()
    assert applied.endswith(str(definitions))
    assert labelled == f"label --overwrite customresourcedefinition/a {LABEL}=definitions"


@pytest.mark.parametrize(("labels", "is_left"), [({}, True), ({"a": "b"}, True), ({LABEL: "definitions"}, False)])
def test_definitions_of_somebody_else_are_left_as_they_are(
    definitions: Path, labels: dict[str, str], *, is_left: bool
) -> None:
    cluster = Cluster(crd=json.dumps({"metadata": {"labels": labels}}))
    module.install(cluster, "traefik:1", print)
    assert any(str(definitions) in line for line in cluster.words()) != is_left


def test_definitions_stay_while_routes_would_go_with_them() -> None:
    cluster, said = Cluster(crd="crd/a", httproutes="httproute/theirs"), list[str]()
    module.uninstall(cluster, said.append)
    assert not any("delete crd" in line for line in cluster.words())
    assert "httproute/theirs" in said[0]


def test_without_routes_everything_goes() -> None:
    cluster = Cluster(crd="crd/a")
    module.uninstall(cluster, print)
    assert any(line.startswith(f"delete crd --selector {LABEL}=definitions") for line in cluster.words())
    assert any(line.startswith("delete namespace") for line in cluster.words())
    assert MANIFESTS["Namespace"]["metadata"]["name"] == NAMESPACE


class Helm:
    """Remembers what it was told, and the values that it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cluster: Cluster, code: int = 0) -> None:
        def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
            cluster.done.append(list(command))
            self.values = json.loads(options["input"] or "{}")
            return subprocess.CompletedProcess(command, code, "", "no such chart")

        self.values: dict[str, Any] = {}
        monkeypatch.setattr(envoy.subprocess, "run", run)
        monkeypatch.setattr(envoy, "download", lambda *_: Path("/module"))


def test_envoy_gateway_comes_by_its_own_chart_with_one_image_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    helm = Helm(monkeypatch, cluster)
    envoy.install(cluster, ["helm", "--kubeconfig", "k"], "docker.io/modelyard/envoy-gateway:1", print)
    [told] = [line for line in cluster.words() if line.startswith("helm")]
    assert told.startswith(
        "helm --kubeconfig k upgrade --install envoy /module/charts/gateway-helm --namespace modelyard-envoy"
    )
    images = helm.values["global"]["images"]
    assert {images[name]["image"] for name in ("envoyGateway", "envoyProxy")} == {"docker.io/modelyard/envoy-gateway:1"}
    assert any(line.startswith("wait --for=condition=Programmed gateway/web") for line in cluster.words())


def test_its_gateway_is_vouched_for_with_the_annotation_that_the_operator_reads() -> None:
    annotations = envoy.build_gateway()["metadata"]["annotations"]
    assert annotations[VOUCHED_FOR].split(",") == [MIRROR, PERCENTAGE_MIRROR]


def test_what_helm_complains_of_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    Helm(monkeypatch, cluster, code=1)
    with pytest.raises(KubectlError, match="helm upgrade: no such chart"):
        envoy.install(cluster, ["helm"], "docker.io/modelyard/envoy-gateway:1", print)


def test_its_controller_goes_after_what_it_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(namespace="namespace/modelyard-envoy", crd="crd/a")
    Helm(monkeypatch, cluster)
    envoy.uninstall(cluster, ["helm"], print)
    assert [line.split(" --")[0] for line in cluster.words()] == [
        "delete gateways.gateway.networking.k8s.io",
        "delete gatewayclass",
        "helm uninstall envoy",
        "delete pods",
        "delete namespace",
        "delete crd",
    ]


def test_one_gateway_goes_without_the_definitions_that_another_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, said = Cluster(crd="crd/a", httproutes="gateway/traefiks"), list[str]()
    Helm(monkeypatch, cluster)
    envoy.uninstall(cluster, ["helm"], said.append)
    assert cluster.words() == []
    assert "gateway/traefiks" in said[0]
