"""A real MLflow server, and what the tests put into it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.tracking import (
    AttemptIdentity,
    EnsureRun,
    RegisteredVersion,
    RegisterVersion,
    ResolveAlias,
    Run,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = ResolveAlias("no such model", "champion")
START_PATIENCE_SECONDS = 120.0
TIMEOUT_SECONDS = 2.0


class MlflowServer:
    """An MLflow server in a process group of its own, which can be stopped, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = int(listener.getsockname()[1])
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self._folder / "artifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self._wait_until_healthy()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"MLflow did not start: {(self._folder / 'log').read_text()}")


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def some_identity() -> AttemptIdentity:
    return AttemptIdentity(cluster=unique("cluster"), owner_uid=str(uuid.uuid4()), attempt=1)


def make_run_question(**changes: Any) -> EnsureRun:  # noqa: ANN401 - any field
    question = EnsureRun(
        identity=some_identity(),
        experiment=unique("team/digits"),
        run_name="digits-1",
        tags=(("modelyard.io/namespace", "team"), ("mlflow.source.name", "team/digits"), ("mlflow.user", "ada")),
        parameters=(("C", "1.0"), ("solver", "lbfgs")),
    )
    return replace(question, **changes)


def log_model(client: MlflowClient, run: Run, name: str = "model", status: str = "READY") -> str:
    model = client.create_logged_model(run.experiment_id, name=name, source_run_id=run.run_id)
    if status != "PENDING":
        client.finalize_logged_model(model.model_id, status)
    return str(model.model_id)


async def register(
    gateway: MlflowGateway,
    client: MlflowClient,
    **changes: Any,  # noqa: ANN401 - any field
) -> tuple[RegisterVersion, RegisteredVersion]:
    run_question = make_run_question()
    run = await gateway.ask(run_question)
    question = RegisterVersion(
        identity=run_question.identity,
        name=unique("team.digits"),
        model_id=log_model(client, run),
        run_id=run.run_id,
        tags=(("modelyard.io/trainingjob", "digits"),),
        aliases=("champion",),
    )
    question = replace(question, **changes)
    version = await gateway.ask(question)
    assert isinstance(version, RegisteredVersion)
    return question, version
