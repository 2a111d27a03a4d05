"""What metrics-server is installed with, and what it is called."""

from typing import Any

from tools.metrics import build
from tools.metrics.manifests import LABELS, build_everything

EVERYTHING = build_everything("metrics-server:1")


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in EVERYTHING if manifest["kind"] == kind]


def test_everything_carries_the_label_it_is_removed_by() -> None:
    assert all(manifest["metadata"]["labels"] == LABELS for manifest in EVERYTHING)


def test_it_reads_numbers_and_writes_nothing() -> None:
    [role] = of_kind("ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"nodes/metrics", "pods", "nodes"}


def test_the_kubelet_is_known_by_the_clusters_own_authority() -> None:
    [deployment] = of_kind("Deployment")
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert any(argument.startswith("--kubelet-certificate-authority=") for argument in arguments)
    assert not any("insecure" in argument for argument in arguments)


def test_the_version_is_the_one_that_go_mod_pins() -> None:
    assert f"sigs.k8s.io/metrics-server v{build.VERSION} " in (build.GO_MODULE / "go.mod").read_text("utf-8")


def test_the_image_is_named_by_what_goes_into_it() -> None:
    assert build.image() == f"localhost/modelyard/metrics-server:{build.VERSION}-{build.source_hash()}"
