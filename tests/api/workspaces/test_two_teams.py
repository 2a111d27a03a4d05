"""Two teams with the same names in one MLflow, each in its namespace's workspace: neither touches the other's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from support.fetchers import run_model_fetcher
from support.operator_process import OperatorProcess, running
from support.promoting import Promoting
from support.serving import Serving
from support.tracking import Tracking, run_training_code, variables_of
from support.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from api.mlflow_server import MlflowServer
    from support.world import World

pytestmark = pytest.mark.api

MODEL = "digits"
CODE = "import mlflow; mlflow.log_metric('accuracy', 0.95)"
BACK_SECONDS = 40.0


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], workspace_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica that keeps namespaces apart."""
    own = {
        **settings,
        "TRACKING_URI": workspace_server.uri,
        "TRACKING_UI_URL": workspace_server.uri,
        "TRACKING_WORKSPACES": "PerNamespace",
        "TRACKING_TIMEOUT_SECONDS": "20",
    }
    with running([OperatorProcess(account, tmp_path_factory.mktemp("operator"), "apart", own)]) as processes:
        yield processes


def train(world: World, *aliases: str) -> Training:
    """A training with a run that its own code logs to, and a model; over."""
    training = Training(world, model={"name": MODEL, "aliases": list(aliases)})
    pod = training.start()
    run_training_code(CODE, variables_of(pod))
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over(BACK_SECONDS)
    assert training.condition("Complete")["status"] == "True", training.status
    return training


def numbers(world: World) -> list[str]:
    """The versions of the model that a team sees."""
    return sorted(version.version for version in world.tracking.versions_of(MODEL))


def test_trainings_with_the_same_names_make_runs_and_models_of_their_own(ours: World, theirs: World) -> None:
    trainings = {world.namespace: train(world, "champion") for world in (ours, theirs)}
    for world in (ours, theirs):
        training = trainings[world.namespace]
        [run] = world.tracking.runs_of(training.uid)
        assert (run.info.status, run.data.metrics) == ("FINISHED", {"accuracy": 0.95})
        assert training.status["tracking"]["url"].endswith(f"/runs/{run.info.run_id}?workspace={world.namespace}")
        assert numbers(world) == ["1"]
        assert world.tracking.holder(MODEL) == "1"
    assert ours.tracking.runs_of(trainings[theirs.namespace].uid) == []
    everybodys = Tracking(ours.tracking.uri, "default")
    assert [everybodys.runs_of(training.uid) for training in trainings.values()] == [[], []]


def test_a_policy_governs_its_own_namespace_and_a_roll_back_moves_its_own_alias(ours: World, theirs: World) -> None:
    digits, others = Promoting(ours, model=MODEL), Promoting(theirs, model=MODEL)
    assert (digits.champion, others.champion) == ("1", "1")
    digits.policy()
    digits.until_policy("AwaitingCandidate")
    others.policy(target={"alias": "staging"})
    trained = train(theirs, "champion", "candidate")
    assert trained.condition("Registered")["reason"] != "AliasGoverned"
    assert (digits.champion, others.champion) == ("1", "2"), "the policy of one team keeps another from nothing"
    train(ours, "champion", "candidate")
    assert digits.champion == "1", "its own it does"
    digits.promote("digits-2")
    assert digits.champion == "2"
    digits.by_hand("1", "back")
    digits.promote("back")
    assert (digits.champion, others.champion) == ("1", "2")
    digits.until_policy("PromotedBefore")


def test_each_serves_its_own_and_follows_its_own_alias(ours: World, theirs: World) -> None:
    digits, others = Promoting(ours, model=MODEL), Promoting(theirs, model=MODEL)
    digits.make(0.95)
    others.make(0.95, "champion")
    servings = [Serving(world, model={"name": MODEL, "alias": "champion"}) for world in (ours, theirs)]
    servings[0].come_up("1")
    servings[1].come_up("2")
    ours.tracking.point(MODEL, "champion", "2")
    servings[0].come_up("2")
    theirs.tracking.point(MODEL, "champion", "1")
    servings[1].come_up("1")
    assert servings[0].stable_version == "2"


def test_pods_fetch_and_hash_the_files_of_their_own_workspace(ours: World, theirs: World, tmp_path: Path) -> None:
    digests = {}
    for world in (ours, theirs):
        folder = tmp_path / world.namespace
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: mine\n")
        (folder / "model" / "whose.txt").write_text(world.namespace)
        digits = Promoting(world, model=MODEL)
        version = world.tracking.make_version(MODEL, str(folder / "model"))
        digits.by_hand(version)
        told = run_model_fetcher(digits.pod("by-hand")["spec"]["containers"][0], folder)
        digests[world.namespace] = told["digest"]
        world.tracking.point(MODEL, "champion", version)
        pod = Serving(world, model={"name": MODEL, "alias": "champion"}).pod(version)
        run_model_fetcher(pod["spec"]["initContainers"][0], folder)
        assert (folder / "volume" / "whose.txt").read_text() == world.namespace
    assert len(set(digests.values())) == 2


def test_a_workspace_that_is_missing_is_named_and_all_goes_on_once_it_is_made(world: World, server: Tracking) -> None:
    training = Training(world)
    serving = Serving(world, model={"name": MODEL, "alias": "champion"})
    world.until(lambda: training.condition("Tracked").get("reason") == "WorkspaceNotFound", "it says so")
    for told in (training.condition("Tracked")["message"], training.condition("Complete")["message"]):
        assert f"has no workspace {world.namespace}, which the namespace {world.namespace} is to be kept in" in told
    assert training.jobs() == []
    world.until(lambda: "WorkspaceNotFound" in str(serving.status), "the deployment says so")
    assert "mlflow.create_workspace" in str(serving.status)
    assert "AliasNotFound" not in str(serving.status), "nothing is known of the alias"
    there = dataclasses.replace(world, tracking=server.make_workspace(world.namespace))
    pod = training.pod(seconds=BACK_SECONDS)
    world.kubelet.succeed(pod)
    training.until_over(BACK_SECONDS)
    assert [run.info.status for run in there.tracking.runs_of(training.uid)] == ["FINISHED"]
    Promoting(there, model=MODEL)
    serving.pod("1")


def test_what_was_deleted_while_nobody_looked_is_ended_where_it_is(ours: World, theirs: World) -> None:
    trainings = {world.namespace: Training(world) for world in (ours, theirs)}
    for training in trainings.values():
        training.start()
    ours.operator.kill()
    uid = trainings[ours.namespace].uid
    ours.delete("TrainingJob", "digits")
    ours.until(lambda: not ours.items("Pod"), "its pods are gone", BACK_SECONDS)
    assert [run.info.status for run in ours.tracking.runs_of(uid)] == ["RUNNING"]
    ours.operator.start()
    ended = lambda: [run.info.status for run in ours.tracking.runs_of(uid)] == ["KILLED"]  # noqa: E731
    ours.until(ended, "its run is ended", 90)
    other = trainings[theirs.namespace]
    assert [run.info.status for run in theirs.tracking.runs_of(other.uid)] == ["RUNNING"]
    theirs.kubelet.succeed(other.pod())
    other.until_over(BACK_SECONDS)
    assert other.statuses_of_runs() == ["FINISHED"]
