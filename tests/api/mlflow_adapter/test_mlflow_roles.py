"""Workspaces with MLflow's own roles: what the operator's account needs, and what a namespace's cannot reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mlflow.exceptions import MlflowException

from api.guarded_mlflow import ADMIN, ALICE, OPERATOR, GuardedMlflow
from api.mlflow_adapter.support import make_run_question, some_identity
from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AliasHolder,
    EndRun,
    FindOpenRuns,
    FindWorkspaces,
    MoveAlias,
    RegisterVersion,
    RunStatus,
)
from support.fetchers import run_model_fetcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from modelyard.core.plan import Manifest

pytestmark = pytest.mark.api

OURS, THEIRS, NOBODYS = "team-a", "team-b", "team-c"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMlflow]:
    """The operator manages two workspaces; the pods of one namespace manage what is in theirs."""
    guarded = GuardedMlflow(tmp_path_factory.mktemp("guarded"), "--enable-workspaces")
    for name in (OURS, THEIRS, NOBODYS):
        guarded.as_user(ADMIN).make_workspace(name)
    for name in (OURS, THEIRS):
        guarded.give_role(OPERATOR, name, "MANAGE")
    guarded.give_role(ALICE, OURS, "MANAGE")
    yield guarded
    guarded.server.kill()


@pytest.fixture
async def gateway(guarded: GuardedMlflow, tmp_path: Path) -> AsyncIterator[MlflowGateway]:
    (tmp_path / "MLFLOW_TRACKING_USERNAME").write_text(OPERATOR)
    (tmp_path / "MLFLOW_TRACKING_PASSWORD").write_text(guarded.passwords[OPERATOR])
    config = MlflowConfig(guarded.server.uri, timeout_seconds=60.0, credentials_dir=tmp_path)
    gateway = MlflowGateway(config)
    yield gateway
    await gateway.close()


async def test_an_account_that_manages_workspaces_can_do_all_that_the_operator_does(
    gateway: MlflowGateway, guarded: GuardedMlflow
) -> None:
    assert set(await gateway.ask(FindWorkspaces())) == {OURS, THEIRS}
    for name in (OURS, THEIRS):
        identity = some_identity()
        run = await gateway.ask(make_run_question(identity=identity, experiment="digits"), name)
        model_id = guarded.as_user(ADMIN, name).log_model(run.run_id)
        await gateway.ask(EndRun(run.run_id, RunStatus.FINISHED, 1), name)
        registering = RegisterVersion(identity, "digits", model_id, run.run_id, aliases=("candidate",))
        version = await gateway.ask(registering, name)
        assert (version.name, version.version) == ("digits", "1")
        assert await gateway.ask(MoveAlias("digits", "champion", "1", None), name) == AliasHolder("1")
        assert await gateway.ask(FindOpenRuns(identity.cluster), name) == ()


async def test_a_workspace_that_the_operator_has_no_role_in_is_told_as_denied(gateway: MlflowGateway) -> None:
    refused = await gateway.ask(make_run_question(), NOBODYS)
    assert isinstance(refused, Failure)
    assert refused.reason == "AccessDenied"


def download(guarded: GuardedMlflow, workspace: str, folder: Path) -> Manifest:
    """What a serving pod with this namespace's account tells."""
    folder.mkdir()
    told = {
        "MLFLOW_TRACKING_URI": guarded.server.uri,
        "MLFLOW_TRACKING_USERNAME": ALICE,
        "MLFLOW_TRACKING_PASSWORD": guarded.passwords[ALICE],
        "MLFLOW_WORKSPACE": workspace,
    }
    env = [{"name": name, "value": value} for name, value in told.items()]
    arguments = ["model", "--name", "letters", "--version", "1", "--to", "/mnt/models"]
    return run_model_fetcher({"args": arguments, "env": env}, folder)


def test_pods_of_one_namespace_read_and_write_nothing_of_another(guarded: GuardedMlflow, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: mine\n")
    for name in (OURS, THEIRS):
        guarded.as_user(ADMIN, name).make_version("letters", str(tmp_path / "model"))
    for name, can in ((OURS, True), (THEIRS, False)):
        said = download(guarded, name, tmp_path / name)
        assert ("files" in said) is can, json.dumps(said)
        if not can:
            assert said["reason"] == "AccessDenied"
    guarded.as_user(ALICE, OURS).point("letters", "champion", "1")
    with pytest.raises(MlflowException, match=r"(?i)permission|denied"):
        guarded.as_user(ALICE, THEIRS).point("letters", "champion", "1")
