"""A real API server with our kinds, and a real MLflow server; each is started once for all tests that want it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.mlflow_server import MlflowServer
from tools.localcluster.controlplane import ControlPlane

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        kubectl = [plane.kubectl, "--kubeconfig", plane.kubeconfig]
        subprocess.run([*kubectl, "apply", "--server-side", "--filename", CRDS], check=True)
        established = ["--for=condition=Established", "--timeout=30s", "--filename", CRDS]
        subprocess.run([*kubectl, "wait", *established], check=True)
        yield plane


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()
