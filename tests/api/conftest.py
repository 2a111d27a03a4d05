"""A real API server with our kinds, a real MLflow server, and the operator; what starts slowly is started once."""

import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from api.mlflow_server import MlflowServer
from chart.rendering import NAMESPACE, RELEASE
from support import rights
from support.audit import AuditLog
from support.kube import Kube, Manifest
from support.kubelet import Kubelet
from support.mlflow_proxy import MlflowProxy
from support.model_servers import ModelServers
from support.operator_process import OperatorProcess, running
from support.promoting import Promoting
from support.seldon import SeldonStandIn
from support.tracking import Tracking
from support.waiting import eventually
from support.world import World
from tools.localcluster.controlplane import ControlPlane
from tools.seldon_standin.manifests import CRD_NAME

CRDS = Path(__file__).parents[2] / "crds"
# Tests play the node: nobody may find it dead, or its pods orphaned.
CONTROLLERS = ("*", "-node-lifecycle-controller", "-pod-garbage-collector-controller")


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), controllers=CONTROLLERS) as plane:
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


@pytest.fixture(scope="session")
def workspace_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One whose experiments and models are kept in workspaces; it delivers webhooks into a private network."""
    server = MlflowServer(
        tmp_path_factory.mktemp("workspaces"),
        "--enable-workspaces",
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS="true",
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES="http,https",
        MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=Fernet.generate_key().decode(),
        # A list that is kept is that of the workspace which was the first to need it.
        MLFLOW_WEBHOOK_CACHE_TTL="0",
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> Kube:
    """The API server as its administrator."""
    return Kube(control_plane.kubeconfig)


@pytest.fixture(scope="session")
def kubelet(kube: Kube) -> Iterator[Kubelet]:
    kubelet = Kubelet(kube)
    kubelet.start()
    yield kubelet
    kubelet.stop()


@pytest.fixture(scope="session")
def tracking(mlflow_server: MlflowServer) -> Tracking:
    return Tracking(mlflow_server.uri)


@pytest.fixture(scope="session")
def servers() -> Iterator[ModelServers]:
    servers = ModelServers()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def operator_roles(control_plane: ControlPlane, kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The rights that the chart gives to the operator; its objects."""
    return rights.grant(control_plane, kube, tmp_path_factory.mktemp("helm-home"))


@pytest.fixture(scope="session")
def account(
    control_plane: ControlPlane,
    operator_roles: list[Manifest],  # noqa: ARG001 - its service account has to be there
) -> Path:
    """A kubeconfig with the operator's rights and no more."""
    return control_plane.kubeconfig_for_service_account(NAMESPACE, RELEASE)


@pytest.fixture(scope="session")
def settings(mlflow_server: MlflowServer, servers: ModelServers) -> Mapping[str, str]:
    """The operator's settings: the defaults, but for where things are, and an alias is looked at more often."""
    return {
        "TRACKING_URI": mlflow_server.uri,
        "OPERATOR_NAMESPACE": NAMESPACE,
        "SERVICE_URL": servers.url_template,
        "POD_URL": servers.pod_url_template,
        "ALIAS_POLL_SECONDS": "1",
        "TRACKING_TIMEOUT_SECONDS": "3",
    }


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica for the tests of a module; modules that want others have a fixture of this name."""
    folder = tmp_path_factory.mktemp("operator")
    with running([OperatorProcess(account, folder, "operator", settings)]) as processes:
        yield processes


@pytest.fixture(scope="module")
def _proxy(mlflow_server: MlflowServer) -> Iterator[MlflowProxy]:
    """A way to MLflow that can be disturbed, for operators that are told of it."""
    proxy = MlflowProxy(mlflow_server.uri)
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(_proxy: MlflowProxy) -> Iterator[MlflowProxy]:
    """Passes everything on, before and after each test."""
    _proxy.fault = None
    yield _proxy
    _proxy.fault = None


@pytest.fixture(scope="module")
def seldon(
    control_plane: ControlPlane, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeldonStandIn]:
    """Seldon's stand-in, for a test to install; gone after the module."""
    seldon = SeldonStandIn(control_plane, kube, tmp_path_factory.mktemp("seldon"))
    yield seldon
    seldon.remove()
    is_gone = lambda: kube.get("CustomResourceDefinition", "", CRD_NAME) is None  # noqa: E731
    eventually(is_gone, "the CRD is gone", str)


@pytest.fixture(scope="module")
def with_seldon(seldon: SeldonStandIn) -> None:
    """Seldon's stand-in is there from the start: operators of the module find its kind at once."""
    seldon.install()


@pytest.fixture(scope="session")
def nothing_left_running(
    account: Path, settings: Mapping[str, str], tracking: Tracking, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """After the last test no run is open in MLflow; one more operator may do what the killed ones could not."""
    yield
    last = OperatorProcess(account, tmp_path_factory.mktemp("operator"), "last", settings)
    with running([last]):
        eventually(lambda: not tracking.open_runs(), "no run is left open", lambda: str(tracking.open_runs()), 90)


@pytest.fixture
def world(  # noqa: PLR0917 - here everything meets
    kube: Kube,
    kubelet: Kubelet,
    tracking: Tracking,
    servers: ModelServers,
    control_plane: ControlPlane,
    operators: list[OperatorProcess],
    nothing_left_running: None,  # noqa: ARG001 - looks once all tests are over
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    """A namespace of the test's own."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    name = f"{words[:40].strip('-')}-{uuid.uuid4().hex[:6]}"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: kube.get("ServiceAccount", name, "default"), "pods can be made", lambda: name)
    audit = AuditLog(control_plane.audit_log, rights.USER)
    yield World(kube, kubelet, tracking, servers, audit, operators, name)
    # What is left would be work for the operators of later modules.
    for kind in ("TrainingJob", "PromotionPolicy", "Promotion", "ModelDeployment"):
        for item in kube.items(kind, name):
            kube.delete(kind, name, item["metadata"]["name"])


@pytest.fixture
def digits(world: World) -> Promoting:
    """A registered model with a champion."""
    return Promoting(world)
