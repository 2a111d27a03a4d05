"""MLflow that asks for passwords and knows owners: a model of somebody else's is told and waited for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
import requests

from api.mlflow_server import MlflowServer
from support.operator_process import OperatorProcess, running
from support.tracking import Tracking
from support.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.world import World

pytestmark = pytest.mark.api

BACK_SECONDS = 40.0
OPERATOR, ALICE, ADMIN = "operator", "alice", "admin"


class GuardedMlflow:
    """MLflow's own app for permissions: who makes something owns it, others may read it."""

    def __init__(self, folder: Path) -> None:
        self.passwords = {name: secrets.token_hex(12) for name in (ADMIN, OPERATOR, ALICE)}
        config = folder / "basic_auth.ini"
        config.write_text(
            f"[mlflow]\ndefault_permission = READ\nadmin_username = {ADMIN}\n"
            f"database_uri = sqlite:///{folder}/auth.db\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            # Each password is looked at once a minute: looking takes a second of a slow machine's time.
            "auth_cache_ttl_seconds = 60\n"
        )
        self.server = MlflowServer(
            folder,
            "--app-name",
            "basic-auth",
            MLFLOW_AUTH_CONFIG_PATH=str(config),
            MLFLOW_AUTH_ADMIN_PASSWORD=self.passwords[ADMIN],
            MLFLOW_FLASK_SERVER_SECRET_KEY=secrets.token_hex(16),
        )
        self.server.start()
        for name in (OPERATOR, ALICE):
            self._as_admin("2.0/mlflow/users/create", username=name, password=self.passwords[name])

    def as_user(self, name: str) -> Tracking:
        """What this user does and sees."""
        return Tracking(self.server.uri.replace("//", f"//{name}:{self.passwords[name]}@"))

    def let_edit(self, user: str, model: str) -> None:
        """Give the user the right to add versions to a registered model."""
        granted = {"resource_type": "registered_model", "resource_id": model, "permission": "EDIT"}
        self._as_admin("3.0/mlflow/users/permissions/grant", username=user, **granted)

    def _as_admin(self, path: str, **body: str) -> None:
        who = (ADMIN, self.passwords[ADMIN])
        answer = requests.post(f"{self.server.uri}/api/{path}", json=body, auth=who, timeout=60)
        assert answer.ok, answer.text


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMlflow]:
    guarded = GuardedMlflow(tmp_path_factory.mktemp("guarded"))
    yield guarded
    guarded.server.kill()


@pytest.fixture(scope="module")
def credentials(mlflow: GuardedMlflow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Secret that the operator's pod mounts."""
    folder = tmp_path_factory.mktemp("credentials")
    (folder / "MLFLOW_TRACKING_USERNAME").write_text(OPERATOR)
    (folder / "MLFLOW_TRACKING_PASSWORD").write_text(mlflow.passwords[OPERATOR])
    return folder


@pytest.fixture(scope="module")
def operators(
    account: Path,
    settings: Mapping[str, str],
    mlflow: GuardedMlflow,
    credentials: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[OperatorProcess]]:
    """One replica with a name and a password of its own."""
    own = {
        **settings,
        "TRACKING_URI": mlflow.server.uri,
        "TRACKING_CREDENTIALS_DIR": str(credentials),
        "TRACKING_TIMEOUT_SECONDS": "20",
    }
    with running([OperatorProcess(account, tmp_path_factory.mktemp("operator"), "guarded", own)]) as processes:
        yield processes


def test_a_registered_model_of_somebody_else_is_waited_for_until_its_owner_lets_us_add_to_it(
    world: World, mlflow: GuardedMlflow
) -> None:
    ours, alices = mlflow.as_user(OPERATOR), mlflow.as_user(ALICE)
    name = f"{world.namespace}.digits"
    alices.client.create_registered_model(name)
    training = Training(world, model={"name": name, "aliases": ["champion"]})
    pod = training.start()
    ours.log_model(training.run_id())
    world.kubelet.succeed(pod)
    world.until(lambda: training.condition("Registered").get("reason") == "AccessDenied", "it says so", BACK_SECONDS)
    told = training.condition("Registered")["message"]
    assert "HTTP 403" in told
    assert "permissions in MLflow" in told
    assert mlflow.passwords[OPERATOR] not in str(training.status)
    assert training.status["problem"] == "AccessDenied"
    assert training.state == "Registering"
    assert ours.run(training.run_id()).info.status == "FINISHED", "the training itself succeeded"
    assert alices.versions_of(name) == []
    mlflow.let_edit(OPERATOR, name)
    training.until_over(BACK_SECONDS)
    assert training.condition("Complete")["status"] == "True"
    assert [version.version for version in alices.versions_of(name)] == ["1"]
    assert alices.client.get_model_version_by_alias(name, "champion").version == "1"


def test_a_model_that_nobody_has_is_the_operators_own(world: World, mlflow: GuardedMlflow) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name})
    pod = training.start()
    mlflow.as_user(OPERATOR).log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over(BACK_SECONDS)
    assert [version.version for version in mlflow.as_user(ALICE).versions_of(name)] == ["1"]


def test_a_password_that_is_wrong_is_told_and_a_new_one_is_taken_without_a_restart(
    world: World, mlflow: GuardedMlflow, credentials: Path
) -> None:
    secret = credentials / "MLFLOW_TRACKING_PASSWORD"
    secret.write_text("not the password")
    training = Training(world)
    world.until(lambda: training.condition("Tracked").get("reason") == "AccessDenied", "it says so", BACK_SECONDS)
    assert "HTTP 401" in training.condition("Tracked")["message"]
    assert training.jobs() == []
    secret.write_text(mlflow.passwords[OPERATOR])
    world.kubelet.succeed(training.pod(seconds=BACK_SECONDS))
    training.until_over(BACK_SECONDS)
    assert mlflow.as_user(OPERATOR).run(training.run_id()).info.status == "FINISHED"
