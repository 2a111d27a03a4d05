"""MLflow's client reads environment variables at each call: they are set here and nowhere else."""

import math
import os
from pathlib import Path

from modelyard.adapters.mlflow.config import MlflowConfig

CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
"""Variables of MLflow's client; in a mounted Secret the keys have the same names."""


def apply(config: MlflowConfig) -> None:
    """Make this process's MLflow client as patient as the settings say, with the credentials that are valid now."""
    for name, value in _behaviour(config).items():
        _set(name, value)
    if config.credentials_dir is not None:
        _apply_credentials(config.credentials_dir)


def secrets() -> tuple[str, ...]:
    """What must never appear in a message."""
    return tuple(value for name in CREDENTIALS[1:] if (value := os.environ.get(name)))


def _behaviour(config: MlflowConfig) -> dict[str, str]:
    """No retries in the client: it would repeat a create whose answer was lost, and the work queue asks again."""
    return {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, math.ceil(config.timeout_seconds))),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
        "MLFLOW_HTTP_POOL_MAXSIZE": str(config.threads),
        # A redirect would turn each POST into a GET, and could send the operator anywhere.
        "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _apply_credentials(folder: Path) -> None:
    """Read the mounted Secret again, so that a rotation needs no restart; a key that is gone is unset."""
    for name in CREDENTIALS:
        try:
            value = (folder / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        _set(name, value)


def _set(name: str, value: str) -> None:
    """Touch the environment only to change it: C code in other threads reads it without a lock."""
    if os.environ.get(name, "") == value:
        return
    if value:
        os.environ[name] = value
    else:
        del os.environ[name]
