"""Workspaces of a real MLflow server: what is in one is not in another, and one that is not there says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from api.mlflow_adapter.support import make_run_question, unique
from api.mlflow_server import MlflowServer
from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.core.model_card import ReadModelCard
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AliasHolder,
    AttemptIdentity,
    EndRun,
    EnsureExperiment,
    FindModels,
    FindOpenRuns,
    FindRuns,
    FindWorkspaces,
    GetVersion,
    MoveAlias,
    Moved,
    ReadAlias,
    ReadMeasurements,
    RegisterVersion,
    ResolveAlias,
    RunStatus,
    TagVersion,
)
from support.tracking import Tracking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from modelyard.core.tracking import TrackingQuestion

pytestmark = pytest.mark.api

RUN_ID, MODEL_ID = "0" * 32, "m-" + "0" * 32
IDENTITY = AttemptIdentity("cluster", "owner", 1)
EVERY_QUESTION: tuple[TrackingQuestion, ...] = (
    EnsureExperiment("experiment"),
    make_run_question(),
    FindRuns(IDENTITY),
    EndRun(RUN_ID, RunStatus.FAILED, 1),
    FindModels(RUN_ID, "1"),
    RegisterVersion(IDENTITY, "model", MODEL_ID, RUN_ID),
    ResolveAlias("model", "champion"),
    ReadAlias("model", "champion"),
    GetVersion("model", "1"),
    ReadMeasurements(MODEL_ID, RUN_ID, ("accuracy",)),
    MoveAlias("model", "champion", "2", "1"),
    TagVersion("model", "1", ()),
    FindOpenRuns("cluster"),
    ReadModelCard("model", "1"),
)


@pytest.fixture
async def gateway(workspace_server: MlflowServer) -> AsyncIterator[MlflowGateway]:
    """It reads aliases by itself only once."""
    gateway = MlflowGateway(MlflowConfig(workspace_server.uri, timeout_seconds=30.0, alias_poll_seconds=3600.0))
    yield gateway
    await gateway.close()


@pytest.fixture
def teams(workspace_server: MlflowServer) -> dict[str, Tracking]:
    """Two workspaces."""
    return {name: Tracking(workspace_server.uri).make_workspace(name) for name in (unique("a"), unique("b"))}


@pytest.mark.parametrize("question", EVERY_QUESTION, ids=lambda question: type(question).__name__)
async def test_a_workspace_that_is_not_there_is_named_with_who_can_make_it(
    gateway: MlflowGateway, question: TrackingQuestion
) -> None:
    answer = await gateway.ask(question, "no-such-team")
    assert isinstance(answer, Failure), f"{answer} is not what MLflow said of the workspace"
    assert (answer.reason, answer.is_transient) == ("WorkspaceNotFound", True)
    assert "has no workspace no-such-team, which the namespace no-such-team is to be kept in" in answer.message
    assert "mlflow.create_workspace('no-such-team')" in answer.message


async def test_a_workspace_that_is_made_is_found_at_the_next_question(
    gateway: MlflowGateway, workspace_server: MlflowServer
) -> None:
    name = unique("late")
    assert isinstance(await gateway.ask(EnsureExperiment("digits"), name), Failure)
    Tracking(workspace_server.uri).make_workspace(name)
    assert not isinstance(await gateway.ask(EnsureExperiment("digits"), name), Failure)


async def test_a_namespace_whose_name_no_workspace_can_have_is_told_so(gateway: MlflowGateway) -> None:
    for name in ("api", "x"):
        answer = await gateway.ask(EnsureExperiment("digits"), name)
        assert (answer.reason, answer.is_transient) == ("WorkspaceInvalid", False)
        assert f"MLflow allows no workspace named {name}: use another namespace" in answer.message


async def test_the_same_names_in_two_workspaces_are_two_things(
    gateway: MlflowGateway, teams: dict[str, Tracking]
) -> None:
    question = make_run_question(experiment="digits")
    runs = [await gateway.ask(question, name) for name in teams]
    assert runs[0].run_id != runs[1].run_id
    for (name, tracking), run in zip(teams.items(), runs, strict=True):
        [found] = await gateway.ask(FindOpenRuns(question.identity.cluster), name)
        assert found.run_id == run.run_id
        assert tracking.run(run.run_id).data.tags["modelyard.io/namespace"] == "team"
        tracking.client.set_terminated(run.run_id)


async def test_an_alias_is_read_and_moved_where_it_is(gateway: MlflowGateway, teams: dict[str, Tracking]) -> None:
    for tracking in teams.values():
        for _ in range(2):
            tracking.make_version("digits", accuracy=0.9)
        tracking.point("digits", "champion", "1")
    (first, ours), (second, theirs) = teams.items()
    assert await gateway.ask(MoveAlias("digits", "champion", "2", "1"), first) == AliasHolder("2")
    assert (ours.holder("digits"), theirs.holder("digits")) == ("2", "1")
    versions = [(await gateway.ask(ResolveAlias("digits", "champion"), name)).version for name in (first, second)]
    assert versions == ["2", "1"]


async def test_a_move_is_told_of_the_workspace_that_it_was_in(
    gateway: MlflowGateway, teams: dict[str, Tracking]
) -> None:
    told, is_told = [], asyncio.Event()

    def tell(moved: Moved) -> None:
        told.append(moved)
        is_told.set()

    gateway.tell_of_moves(tell)
    (first, ours), (second, theirs) = teams.items()
    for tracking in (ours, theirs):
        for _ in range(2):
            tracking.make_version("digits")
        tracking.point("digits", "champion", "1")
    for name in teams:
        await gateway.ask(ResolveAlias("digits", "champion"), name)
    ours.point("digits", "champion", "2")
    gateway.look_again(Moved("digits", "champion", second))
    gateway.look_again(Moved("digits", "champion"))
    assert (await gateway.ask(ResolveAlias("digits", "champion"), first)).version == "1"
    gateway.look_again(Moved("digits", "champion", first))
    await asyncio.wait_for(is_told.wait(), 30)
    assert told == [Moved("digits", "champion", first)]
    assert (await gateway.ask(ResolveAlias("digits", "champion"), first)).version == "2"


async def test_a_hint_is_looked_into_in_every_workspace(gateway: MlflowGateway, teams: dict[str, Tracking]) -> None:
    moves: asyncio.Queue[Moved] = asyncio.Queue()
    gateway.tell_of_moves(moves.put_nowait)
    (first, ours), (second, theirs) = teams.items()
    for name, tracking in teams.items():
        for _ in range(2):
            tracking.make_version("digits")
        tracking.point("digits", "champion", "1")
        await gateway.ask(ResolveAlias("digits", "champion"), name)
    theirs.point("digits", "champion", "2")
    gateway.take_hint(Moved("digits", "champion", first))
    assert await asyncio.wait_for(moves.get(), 30) == Moved("digits", "champion", second)
    ours.point("digits", "champion", "2")
    gateway.take_hint(Moved("digits", "champion"))
    assert await asyncio.wait_for(moves.get(), 30) == Moved("digits", "champion", first)


async def test_all_workspaces_are_found(gateway: MlflowGateway, teams: dict[str, Tracking]) -> None:
    assert {"default", *teams} <= set(await gateway.ask(FindWorkspaces()))


async def test_without_a_workspace_the_default_one_is_asked(
    gateway: MlflowGateway, workspace_server: MlflowServer
) -> None:
    name = unique("experiment")
    experiment_id = await gateway.ask(EnsureExperiment(name))
    found = Tracking(workspace_server.uri, "default").client.get_experiment_by_name(name)
    assert found is not None
    assert found.experiment_id == experiment_id


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[MlflowServer]:
    """One that tests start with and without workspaces."""
    server = MlflowServer(tmp_path)
    yield server
    server.kill()


async def test_a_server_without_workspaces_is_not_used_until_it_has_them(changing: MlflowServer) -> None:
    changing.start()
    gateway = MlflowGateway(MlflowConfig(changing.uri, timeout_seconds=30.0))
    for question in (EnsureExperiment("digits"), ReadModelCard("digits", "1")):
        refused = await gateway.ask(question, "default")
        assert (refused.reason, refused.is_transient) == ("WorkspacesDisabled", True)
        assert "start it with --enable-workspaces (MLflow 3.10 or newer)" in refused.message
    assert await gateway.ask(ReadAlias("digits", "champion")) is None, "without a workspace nothing is in the way"
    changing.kill()
    changing.restart_with("--enable-workspaces")
    assert not isinstance(await gateway.ask(EnsureExperiment("digits"), "default"), Failure)
    changing.kill()
    changing.restart_with()
    await gateway.ask(EnsureExperiment("digits"), "default")
    assert (await gateway.ask(EnsureExperiment("digits"), "default")).reason == "WorkspacesDisabled"
    await gateway.close()
