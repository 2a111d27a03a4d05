"""modelyard-fetch against a real MLflow server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from api.mlflow_server import MlflowServer
from support.fetchers import python_path

pytestmark = pytest.mark.api


MODEL = "flavors:\n  python_function:\n    loader_module: mine\nmodel_uuid: m\n"


@pytest.fixture
def version(mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A registered version, with a folder and odd names among its files."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.uri)
    local = tmp_path / "local"
    (local / "100% a+b" / "deep er").mkdir(parents=True)
    (local / "100% a+b" / "deep er" / "ü&.txt").write_text("found")
    (local / "empty.bin").touch()
    (local / "MLmodel").write_text(MODEL)
    client = MlflowClient(mlflow_server.uri)
    run = client.create_run(client.create_experiment(f"fetch-{tmp_path.name}"))
    client.log_artifacts(run.info.run_id, str(local), "model")
    client.set_terminated(run.info.run_id)
    client.create_registered_model(tmp_path.name)
    source = f"{run.info.artifact_uri}/model"
    return client.create_model_version(tmp_path.name, source, run.info.run_id)


def run_fetcher(uri: str, log: Path, *arguments: str) -> dict[str, Any]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": python_path("model-fetcher")}
    environment |= {"MLFLOW_TRACKING_URI": uri, "MODELYARD_TERMINATION_LOG": str(log)}
    subprocess.run([sys.executable, "-m", "modelyard_fetch", *arguments], env=environment, check=False, timeout=60)
    result: dict[str, Any] = json.loads(log.read_text())
    return result


def fetch(uri: str, name: str, version: str, target: Path, *more: str) -> dict[str, Any]:
    which = ("--name", name, "--version", version, "--to", str(target))
    return run_fetcher(uri, target.with_suffix(".log"), "model", *which, *more)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".modelyard-fetch"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_everything_that_was_logged_arrives(mlflow_server: MlflowServer, version: Any, tmp_path: Path) -> None:
    result = fetch(mlflow_server.uri, version.name, version.version, tmp_path / "got")
    assert contents(tmp_path / "got") == contents(tmp_path / "local")
    assert result["files"] == len(contents(tmp_path / "local"))


def test_version_that_mlflow_does_not_know_is_not_found(
    mlflow_server: MlflowServer, version: Any, tmp_path: Path
) -> None:
    assert fetch(mlflow_server.uri, version.name, "99", tmp_path / "got")["reason"] == "ModelNotFound"
    assert fetch(mlflow_server.uri, "no such model", "1", tmp_path / "got")["reason"] == "ModelNotFound"


def test_source_that_points_at_nothing_is_incomplete(mlflow_server: MlflowServer, version: Any, tmp_path: Path) -> None:
    client = MlflowClient(mlflow_server.uri)
    source = version.source.removesuffix("/model") + "/nothing"
    empty = client.create_model_version(version.name, source, version.run_id)
    assert fetch(mlflow_server.uri, empty.name, empty.version, tmp_path / "got")["reason"] == "ModelIncomplete"


def test_files_that_were_swapped_after_they_were_promoted_are_refused(
    mlflow_server: MlflowServer, version: Any, tmp_path: Path
) -> None:
    which = ("--name", version.name, "--version", str(version.version))
    promoted = run_fetcher(mlflow_server.uri, tmp_path / "digest.log", "digest", *which)["digest"]
    target = tmp_path / "got"
    assert "reason" not in fetch(mlflow_server.uri, version.name, version.version, target, "--digest", promoted)
    (tmp_path / "local" / "empty.bin").write_text("not empty any more")
    client = MlflowClient(mlflow_server.uri)
    client.log_artifact(version.run_id, str(tmp_path / "local" / "empty.bin"), "model")
    result = fetch(mlflow_server.uri, version.name, version.version, target, "--digest", promoted)
    assert result["reason"] == "DigestMismatch"
    assert not (target / "MLmodel").exists(), "what was fetched before is gone, too"
