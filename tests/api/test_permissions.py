"""MLflow that asks for passwords and knows owners: a model of somebody else's is told and waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.guarded_mlflow import ALICE, OPERATOR, GuardedMlflow
from support.operator_process import OperatorProcess, running
from support.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.world import World

pytestmark = pytest.mark.api

BACK_SECONDS = 40.0


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
