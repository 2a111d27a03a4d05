"""The gateway in front of the shared MLflow server, and a server of its own for tests that break it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

from api.mlflow_server import MlflowServer
from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from support.tracking import Tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient


@pytest.fixture(autouse=True)
def unchanged_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
async def gateway(mlflow_server: MlflowServer) -> AsyncIterator[MlflowGateway]:
    gateway = MlflowGateway(MlflowConfig(uri=mlflow_server.uri, timeout_seconds=30.0))
    yield gateway
    await gateway.close()


@pytest.fixture
def client(mlflow_server: MlflowServer) -> MlflowClient:
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

    return MlflowClient(mlflow_server.uri, mlflow_server.uri)


@pytest.fixture(scope="module", autouse=True)
def no_run_is_left_open(tracking: Tracking) -> Iterator[None]:
    """These tests ask for runs and leave them; what is open afterwards was made by them, and ends here."""
    before = set(tracking.open_runs())
    yield
    for run_id in set(tracking.open_runs()) - before:
        tracking.client.set_terminated(run_id, "KILLED")


@pytest.fixture(scope="module")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One that tests may freeze and kill; they leave it running."""
    server = MlflowServer(tmp_path_factory.mktemp("mortal"))
    server.start()
    yield server
    server.kill()
