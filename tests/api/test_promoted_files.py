"""Real files in a real MLflow, read by the real fetcher as the pods are told to: those promoted are those served."""

import json
from pathlib import Path

import pytest

from support.fetchers import run_model_fetcher
from support.kube import Manifest
from support.promoting import Promoting
from support.serving import Serving
from support.world import World

pytestmark = pytest.mark.api

MODEL = "flavors:\n  python_function:\n    loader_module: mine\nmodel_uuid: m\n"


@pytest.fixture
def digits(world: World, tmp_path: Path) -> Promoting:
    """Version 1 is the champion, version 2 has files."""
    digits = Promoting(world)
    local = tmp_path / "local"
    (local / "code").mkdir(parents=True)
    (local / "MLmodel").write_text(MODEL)
    (local / "weights.bin").write_bytes(b"w" * 100_000)
    (local / "code" / "ü b.py").write_text("x = 1\n")
    client = world.tracking.client
    made = client.create_run(client.create_experiment(f"files of {digits.model}"))
    client.log_artifacts(made.info.run_id, str(local), "model")
    client.set_terminated(made.info.run_id)
    client.create_model_version(digits.model, f"{made.info.artifact_uri}/model", made.info.run_id)
    return digits


def swap(digits: Promoting, local: Path) -> None:
    """Somebody puts other weights in their place."""
    (local / "weights.bin").write_bytes(b"x" * 100_000)
    version = digits.world.tracking.client.get_model_version(digits.model, "2")
    digits.world.tracking.client.log_artifact(version.run_id, str(local / "weights.bin"), "model")


def promote(digits: Promoting, folder: Path) -> Manifest:
    """Promote version 2, its files hashed by the real fetcher."""
    digits.by_hand("2")
    pod = digits.pod("by-hand")
    folder.mkdir()
    said = run_model_fetcher(pod["spec"]["containers"][0], folder)
    assert said["files"] == 3
    digits.world.kubelet.finish(pod, "Succeeded", exitCode=0, reason="Completed", message=json.dumps(said))
    made = digits.until("by-hand", "Promoted")
    assert made["status"]["digest"] == said["digest"]
    return made


def test_what_was_promoted_is_served(digits: Promoting, tmp_path: Path) -> None:
    promote(digits, tmp_path / "digest")
    serving = Serving(digits.world, model={"name": digits.model, "alias": "champion"})
    said = run_model_fetcher(serving.pod("2")["spec"]["initContainers"][0], tmp_path)
    assert said["files"] == 3
    assert (tmp_path / "volume" / "weights.bin").read_bytes() == b"w" * 100_000
    serving.come_up("2")


def test_a_file_that_was_swapped_afterwards_is_refused_and_the_old_version_serves_on(
    digits: Promoting, tmp_path: Path
) -> None:
    serving = Serving(digits.world, model={"name": digits.model, "alias": "champion"})
    serving.come_up("1")
    promote(digits, tmp_path / "digest")
    swap(digits, tmp_path / "local")
    pod = serving.pod("2")
    said = run_model_fetcher(pod["spec"]["initContainers"][0], tmp_path)
    assert said["reason"] == "DigestMismatch"
    assert not (tmp_path / "volume" / "MLmodel").exists()
    digits.world.kubelet.fail_init(pod, json.dumps(said))
    told = serving.until_ready_says("True", "RolledBack")
    assert "version 1 serves; version 2 was refused, DigestMismatch" in told["message"]
    assert serving.stable_version == "1"
    assert serving.pods("1")


def test_a_file_that_was_swapped_while_somebody_decides_is_refused_too(digits: Promoting, tmp_path: Path) -> None:
    digits.by_hand("2", approval={"required": True})
    pod = digits.pod("by-hand")
    said = run_model_fetcher(pod["spec"]["containers"][0], tmp_path)
    digits.world.kubelet.finish(pod, "Succeeded", exitCode=0, reason="Completed", message=json.dumps(said))
    digits.until("by-hand", "AwaitingApproval")
    swap(digits, tmp_path / "local")
    digits.world.patch("Promotion", "by-hand", approval={"decision": "Approved", "by": "alice"})
    digits.until("by-hand", "Promoted")
    serving = Serving(digits.world, model={"name": digits.model, "alias": "champion"})
    assert run_model_fetcher(serving.pod("2")["spec"]["initContainers"][0], tmp_path)["reason"] == "DigestMismatch"
