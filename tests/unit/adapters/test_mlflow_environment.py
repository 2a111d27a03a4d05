"""How MLflow's client is told what to do."""

import os
from pathlib import Path

import pytest

from modelyard.adapters.mlflow import environment
from modelyard.adapters.mlflow.config import MlflowConfig


def test_the_client_never_repeats_a_request_by_itself() -> None:
    environment.apply(MlflowConfig(uri="http://mlflow", timeout_seconds=2.5))
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"


def test_credentials_come_from_the_mounted_secret_and_follow_its_rotation(tmp_path: Path) -> None:
    config = MlflowConfig(uri="http://mlflow", credentials_dir=tmp_path)
    (tmp_path / "MLFLOW_TRACKING_USERNAME").write_text("ada\n")
    (tmp_path / "MLFLOW_TRACKING_PASSWORD").write_text("first")
    environment.apply(config)
    assert (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]) == ("ada", "first")
    (tmp_path / "MLFLOW_TRACKING_PASSWORD").write_text("second")
    environment.apply(config)
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "second"


def test_a_key_that_is_gone_from_the_secret_is_used_no_more(tmp_path: Path) -> None:
    os.environ["MLFLOW_TRACKING_TOKEN"] = "stale"
    environment.apply(MlflowConfig(uri="http://mlflow", credentials_dir=tmp_path))
    assert "MLFLOW_TRACKING_TOKEN" not in os.environ


def test_without_a_mounted_secret_the_environment_is_used_as_it_is() -> None:
    os.environ["MLFLOW_TRACKING_TOKEN"] = "given"
    environment.apply(MlflowConfig(uri="http://mlflow"))
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "given"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [("http://u:p@mlflow:5000/x", "http://mlflow:5000/x"), ("https://mlflow", "https://mlflow"), ("", "")],
)
def test_a_shown_uri_has_no_credentials(uri: str, shown: str) -> None:
    assert MlflowConfig(uri=uri).shown_uri == shown
