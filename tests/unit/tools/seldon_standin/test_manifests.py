"""What the stand-in is installed with."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.seldon_standin.manifests import CRD_FILE, NAME, STAND_IN_LABEL, standin_manifests


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict[str, Any]]:
    return {manifest["kind"]: manifest for manifest in standin_manifests("operator:1")}


def test_the_mounted_code_is_all_it_needs(manifests: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    package = tmp_path / "tools" / "seldon_standin"
    package.mkdir(parents=True)
    for name, text in manifests["ConfigMap"]["data"].items():
        (package / name).write_text(text)
    command = [sys.executable, "-m", "tools.seldon_standin.main", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "This is not Seldon" in done.stdout


def test_everything_says_what_it_is(manifests: dict[str, dict[str, Any]]) -> None:
    definition = yaml.safe_load(CRD_FILE.read_text())
    assert all(m["metadata"]["labels"][STAND_IN_LABEL] == "seldon" for m in [definition, *manifests.values()])
    assert "Not Seldon" in manifests["Deployment"]["metadata"]["annotations"][STAND_IN_LABEL]


def test_it_is_not_taken_for_the_real_manager(manifests: dict[str, dict[str, Any]]) -> None:
    assert "control-plane" not in manifests["Deployment"]["metadata"]["labels"]


def test_its_role_names_every_right_and_reads_no_secrets(manifests: dict[str, dict[str, Any]]) -> None:
    rules = manifests["ClusterRole"]["rules"]
    words = {word for rule in rules for field in rule.values() for word in field}
    assert not words & {"*", "secrets", "pods"}


def test_new_code_makes_a_new_pod(monkeypatch: pytest.MonkeyPatch, manifests: dict[str, dict[str, Any]]) -> None:
    before = manifests["Deployment"]["spec"]["template"]
    monkeypatch.setattr(Path, "read_text", lambda _: "changed")
    (after,) = (m["spec"]["template"] for m in standin_manifests("operator:1") if m["kind"] == "Deployment")
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]
    assert before["spec"] == after["spec"]


def test_it_runs_in_the_given_image_without_root(manifests: dict[str, dict[str, Any]]) -> None:
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container["image"], pod["serviceAccountName"]) == ("operator:1", NAME)
    assert pod["securityContext"]["runAsUser"] == 65532
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
