"""The MLflow gateway against a real MLflow server."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AttemptIdentity,
    Ended,
    EndRun,
    EnsureRun,
    FindModels,
    FindOpenRuns,
    GetVersion,
    Metric,
    ReadMetrics,
    RegisteredVersion,
    RegisterVersion,
    ResolveAlias,
    Run,
    RunStatus,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.api
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


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()


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
    from mlflow import MlflowClient  # noqa: PLC0415 - as above

    return MlflowClient(mlflow_server.uri, mlflow_server.uri)


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


# Runs


async def test_a_run_is_made_with_its_tags_and_parameters(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question()
    run = await gateway.ask(question)
    made = client.get_run(run.run_id)
    assert made.info.status == "RUNNING"
    assert made.info.run_name == "digits-1"
    assert made.data.params == {"C": "1.0", "solver": "lbfgs"}
    assert made.data.tags["modelyard.io/trainingjob-uid"] == question.identity.owner_uid
    assert made.data.tags["mlflow.source.name"] == "team/digits"
    assert client.get_experiment(run.experiment_id).name == question.experiment


async def test_asking_for_a_run_again_finds_it(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question()
    first, second = await gateway.ask(question), await gateway.ask(question)
    assert first == second
    assert len(client.search_runs([first.experiment_id])) == 1


async def test_a_crash_after_the_run_was_made_loses_no_parameter(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question(parameters=())
    run = await gateway.ask(question)
    client.log_param(run.run_id, "C", "from the code")
    assert await gateway.ask(replace(question, parameters=(("C", "1.0"), ("solver", "lbfgs")))) == run
    assert client.get_run(run.run_id).data.params == {"C": "from the code", "solver": "lbfgs"}


async def test_each_attempt_and_each_cluster_has_its_own_run(gateway: MlflowGateway) -> None:
    question = make_run_question()
    identities = [
        question.identity,
        replace(question.identity, attempt=2),
        replace(question.identity, cluster="other"),
    ]
    runs = [await gateway.ask(replace(question, identity=identity)) for identity in identities]
    assert len({run.run_id for run in runs}) == 3


async def test_of_two_runs_with_one_identity_everyone_takes_the_older(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    """As when a create whose answer was lost takes effect late."""
    question = make_run_question()
    run = await gateway.ask(question)
    late = client.create_run(run.experiment_id, start_time=1, tags=client.get_run(run.run_id).data.tags)
    assert (await gateway.ask(question)).run_id == late.info.run_id


async def test_a_run_that_lost_against_an_older_one_is_ended_and_never_chosen(
    gateway: MlflowGateway, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelyard.adapters.mlflow import runs  # noqa: PLC0415 - imports MLflow's client, which takes seconds

    question = make_run_question()
    older = await gateway.ask(question)
    find, blind = runs._find_run, [True]

    def miss_once(*arguments: Any) -> Any:  # noqa: ANN401 - passes them on
        return None if blind and blind.pop() else find(*arguments)

    monkeypatch.setattr(runs, "_find_run", miss_once)
    assert await gateway.ask(question) == older
    ends = {run.info.run_id: run.info.status for run in client.search_runs([older.experiment_id])}
    assert sorted(ends.values()) == ["KILLED", "RUNNING"]
    assert ends[older.run_id] == "RUNNING"


async def test_twenty_askers_at_once_get_one_run(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question()
    runs = set(await asyncio.gather(*(gateway.ask(question) for _ in range(20))))
    assert len(runs) == 1
    assert len(client.search_runs([runs.pop().experiment_id])) == 1


async def test_jobs_racing_for_a_new_experiment_share_it(gateway: MlflowGateway) -> None:
    experiment = unique("shared")
    questions = [make_run_question(experiment=experiment) for _ in range(8)]
    runs = await asyncio.gather(*(gateway.ask(question) for question in questions))
    assert len({run.experiment_id for run in runs}) == 1
    assert len({run.run_id for run in runs}) == 8


async def test_more_parameters_than_fit_one_request_are_all_kept(gateway: MlflowGateway, client: MlflowClient) -> None:
    parameters = tuple((f"p{number}", "x" * 7000) for number in range(205))
    run = await gateway.ask(make_run_question(parameters=parameters))
    kept = client.get_run(run.run_id).data.params
    assert len(kept) == 205
    assert kept["p204"].endswith("[cut by modelyard]")


async def test_a_deleted_experiment_is_told_with_the_cure(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question()
    run = await gateway.ask(question)
    client.delete_experiment(run.experiment_id)
    failure = await gateway.ask(question)
    assert (failure.reason, failure.is_transient) == ("ExperimentDeleted", False)
    assert f"mlflow experiments restore --experiment-id {run.experiment_id}" in failure.message


@pytest.mark.parametrize("was", ["RUNNING", "SCHEDULED", "FINISHED"])
async def test_a_run_is_ended_whatever_it_says(gateway: MlflowGateway, client: MlflowClient, was: str) -> None:
    run = await gateway.ask(make_run_question())
    client.update_run(run.run_id, status=was)
    end = EndRun(run.run_id, RunStatus.FAILED, 1_800_000_000_000, (("modelyard.io/exit-code", "137"),))
    assert await gateway.ask(end) == Ended(previous_status=was)
    ended = client.get_run(run.run_id)
    assert (ended.info.status, ended.info.end_time) == ("FAILED", 1_800_000_000_000)
    assert ended.data.tags["modelyard.io/exit-code"] == "137"


async def test_ending_a_run_again_changes_nothing(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question())
    end = EndRun(run.run_id, RunStatus.KILLED, 1_800_000_000_000)
    await gateway.ask(end)
    before = client.get_run(run.run_id).to_dictionary()
    assert await gateway.ask(end) == Ended(previous_status="KILLED")
    assert client.get_run(run.run_id).to_dictionary() == before


async def test_a_deleted_and_an_unknown_run_are_told_apart(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question())
    client.delete_run(run.run_id)
    deleted = await gateway.ask(EndRun(run.run_id, RunStatus.FAILED, 1))
    unknown = await gateway.ask(EndRun("f" * 32, RunStatus.FAILED, 1))
    assert (deleted.reason, unknown.reason) == ("RunDeleted", "RunNotFound")
    assert not deleted.is_transient
    assert not unknown.is_transient


async def test_metrics_come_as_they_are_in_the_order_asked(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question())
    for step, value in enumerate((0.5, 0.9)):
        client.log_metric(run.run_id, "accuracy", value, step=step)
    client.log_metric(run.run_id, "loss", math.nan)
    client.log_metric(run.run_id, "best", math.inf)
    client.log_metric(run.run_id, "worst", -math.inf)
    loss, accuracy, best, worst = await gateway.ask(
        ReadMetrics(run.run_id, ("loss", "missing", "accuracy", "best", "worst"))
    )
    assert math.isnan(loss.value)
    assert accuracy == Metric("accuracy", 0.9, 1)
    assert (best.value, worst.value) == (math.inf, -math.inf)


async def test_open_runs_of_this_cluster_are_found_in_every_experiment(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    cluster = unique("cluster")
    identities = [AttemptIdentity(cluster, str(uuid.uuid4()), number) for number in (1, 2, 3)]
    going, scheduled, ended = [await gateway.ask(make_run_question(identity=identity)) for identity in identities]
    await gateway.ask(make_run_question())
    client.update_run(scheduled.run_id, status="SCHEDULED")
    await gateway.ask(EndRun(ended.run_id, RunStatus.FINISHED, 1))
    found = await gateway.ask(FindOpenRuns(cluster))
    assert {(run.run_id, run.identity) for run in found} == {
        (going.run_id, identities[0]),
        (scheduled.run_id, identities[1]),
    }


# Models


async def test_a_runs_models_come_oldest_first_with_their_state(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question())
    statuses = ("READY", "PENDING", "FAILED")
    ids = [log_model(client, run, name=f"model-{status}", status=status) for status in statuses]
    models = await gateway.ask(FindModels(run.run_id, run.experiment_id))
    assert [model.model_id for model in models] == ids
    assert [model.name for model in models] == ["model-READY", "model-PENDING", "model-FAILED"]
    assert [model.status for model in models] == ["READY", "PENDING", "UPLOAD_FAILED"]


async def test_a_run_without_models_has_none(gateway: MlflowGateway) -> None:
    run = await gateway.ask(make_run_question())
    assert await gateway.ask(FindModels(run.run_id, run.experiment_id)) == ()


async def test_more_models_than_fit_one_page_are_all_found(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question())
    for _ in range(101):
        log_model(client, run)
    assert len(await gateway.ask(FindModels(run.run_id, run.experiment_id))) == 101


@pytest.mark.parametrize(
    "note", ["not json", '{"name": 1}', '[{"name": "m"}, {"version": 1}, 7, {"name": "m", "version": "1;2"}]']
)
async def test_a_tampered_note_of_versions_is_left_out(gateway: MlflowGateway, client: MlflowClient, note: str) -> None:
    run = await gateway.ask(make_run_question())
    client.set_logged_model_tags(log_model(client, run), {"mlflow.modelVersions": note})
    (model,) = await gateway.ask(FindModels(run.run_id, run.experiment_id))
    assert model.versions == ()


# Versions


async def test_a_version_is_registered_with_its_tags_and_alias(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client)
    assert (version.version, version.model_id, version.run_id) == ("1", question.model_id, question.run_id)
    assert dict(version.tags) == {
        "modelyard.io/trainingjob": "digits",
        "modelyard.io/cluster": question.identity.cluster,
        "modelyard.io/trainingjob-uid": question.identity.owner_uid,
        "modelyard.io/attempt": "1",
    }
    assert await gateway.ask(ResolveAlias(question.name, "champion")) == version
    assert await gateway.ask(GetVersion(question.name, "1")) == version


async def test_registering_again_makes_no_second_version(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client)
    assert await gateway.ask(question) == version
    assert len(client.search_model_versions(f"name='{question.name}'")) == 1


async def test_a_crash_before_the_alias_was_set_is_made_good(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client, aliases=())
    assert await gateway.ask(ResolveAlias(question.name, "champion")) is None
    assert await gateway.ask(replace(question, aliases=("champion", "newest"))) == version
    assert await gateway.ask(ResolveAlias(question.name, "newest")) == version


async def test_a_version_that_the_code_registered_is_adopted(gateway: MlflowGateway, client: MlflowClient) -> None:
    run_question = make_run_question()
    run = await gateway.ask(run_question)
    model_id, name = log_model(client, run), unique("team.digits")
    client.create_registered_model(name)
    client.create_model_version(
        name, f"models:/{model_id}", run.run_id, model_id=model_id, tags={"theirs": "kept"}, await_creation_for=0
    )
    question = RegisterVersion(run_question.identity, name, model_id, run.run_id, aliases=("champion",))
    version = await gateway.ask(question)
    assert version.version == "1"
    assert dict(version.tags)["theirs"] == "kept"
    assert dict(version.tags)["modelyard.io/trainingjob-uid"] == run_question.identity.owner_uid
    assert len(client.search_model_versions(f"name='{name}'")) == 1


async def test_real_training_code_that_registers_by_itself_is_adopted(
    gateway: MlflowGateway, client: MlflowClient, mlflow_server: MlflowServer
) -> None:
    run_question, name = make_run_question(), unique("team.digits")
    run = await gateway.ask(run_question)
    code = f"""
        import mlflow
        from sklearn.linear_model import LogisticRegression
        with mlflow.start_run():
            model = LogisticRegression().fit([[0], [1]], [0, 1])
            mlflow.sklearn.log_model(model, name="digits", registered_model_name="{name}")
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")},
        "MLFLOW_TRACKING_URI": mlflow_server.uri,
        "MLFLOW_RUN_ID": run.run_id,
        "MLFLOW_EXPERIMENT_ID": run.experiment_id,
    }
    command = [sys.executable, "-c", textwrap.dedent(code)]
    await asyncio.to_thread(subprocess.run, command, env=environment, check=True, timeout=240, capture_output=True)
    (model,) = await gateway.ask(FindModels(run.run_id, run.experiment_id))
    assert (model.name, model.status, model.versions) == ("digits", "READY", ((name, "1"),))
    version = await gateway.ask(RegisterVersion(run_question.identity, name, model.model_id, run.run_id))
    assert (version.version, version.model_id) == ("1", model.model_id)
    assert len(client.search_model_versions(f"name='{name}'")) == 1


async def test_of_two_versions_with_one_identity_everyone_takes_the_first(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    question, version = await register(gateway, client)
    tags = dict(version.tags)
    source = f"models:/{question.model_id}"
    client.create_model_version(
        question.name, source, question.run_id, model_id=question.model_id, tags=tags, await_creation_for=0
    )
    assert await gateway.ask(question) == version


async def test_an_alias_that_moves_is_followed(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, first = await register(gateway, client)
    _, second = await register(gateway, client, name=question.name)
    assert (first.version, second.version) == ("1", "2")
    assert await gateway.ask(ResolveAlias(question.name, "champion")) == second
    client.set_registered_model_alias(question.name, "champion", "1")
    assert await gateway.ask(ResolveAlias(question.name, "champion")) == first


async def test_an_unknown_model_alias_or_version_is_none(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, _ = await register(gateway, client)
    assert await gateway.ask(ResolveAlias("no such model", "champion")) is None
    assert await gateway.ask(ResolveAlias(question.name, "challenger")) is None
    assert await gateway.ask(GetVersion(question.name, "99")) is None
    assert await gateway.ask(GetVersion("no such model", "1")) is None


@pytest.mark.parametrize("alias", ["latest", "v1", "white space", "slash/ed"])
async def test_an_alias_that_mlflow_reserves_is_refused(
    gateway: MlflowGateway, client: MlflowClient, alias: str
) -> None:
    question, _ = await register(gateway, client, aliases=())
    failure = await gateway.ask(replace(question, aliases=(alias,)))
    assert (failure.reason, failure.is_transient) == ("NameInvalid", False)


@pytest.mark.parametrize(
    "name",
    ["it's", 'say "hi"', "both ' and \"", "back`tick", "a; DROP TABLE runs; --", "per%cent", "ünï·cödé 🦜", "a\\"],
)
async def test_names_with_odd_characters_are_names_like_others(
    gateway: MlflowGateway, client: MlflowClient, name: str
) -> None:
    name = f"{name} {uuid.uuid4().hex[:6]}"
    question, version = await register(gateway, client, name=name)
    assert await gateway.ask(question) == version
    assert await gateway.ask(ResolveAlias(name, "champion")) == version
    experiment = make_run_question(experiment=name)
    assert await gateway.ask(experiment) == await gateway.ask(experiment)


@pytest.mark.parametrize("name", ["a/b", "a:b", ""])
async def test_a_model_name_that_mlflow_refuses_is_told(
    gateway: MlflowGateway, client: MlflowClient, name: str
) -> None:
    run_question = make_run_question()
    run = await gateway.ask(run_question)
    question = RegisterVersion(run_question.identity, name, log_model(client, run), run.run_id)
    failure = await gateway.ask(question)
    assert (failure.reason, failure.is_transient) == ("NameInvalid", False)


async def test_tags_longer_than_mlflow_allows_are_cut(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question(tags=(("long", "x" * 9000),)))
    assert client.get_run(run.run_id).data.tags["long"].endswith("[cut by modelyard]")


def test_answering_questions_loads_no_model_code() -> None:
    names = "('mlflow.pyfunc', 'mlflow.sklearn', 'joblib', 'sklearn')"
    check = f"import sys; import modelyard.adapters.mlflow.questions; sys.exit(any(n in sys.modules for n in {names}))"
    operator = Path(__file__).parents[2] / "operator"
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(operator)}, check=False).returncode == 0


async def test_a_name_that_mlflow_does_not_allow_is_told_with_the_setting(
    mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def at_home(host: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passes them on
        return look_up("127.0.0.1" if host == "mlflow.mlops.svc" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    gateway = MlflowGateway(MlflowConfig(uri=mlflow_server.uri.replace("127.0.0.1", "mlflow.mlops.svc")))
    failure = await gateway.ask(ALIAS)
    assert failure.reason == "HostRejected"
    assert "'mlflow.mlops.svc,mlflow.mlops.svc:*' to MLFLOW_SERVER_ALLOWED_HOSTS" in failure.message
    await gateway.close()


# Outages


@pytest.fixture
def mortal_server(tmp_path: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path)
    server.start()
    yield server
    server.kill()


async def until_answered(ask: Callable[[], Awaitable[Any]]) -> float:
    """Seconds until an answer is no failure."""
    started = time.monotonic()
    while time.monotonic() - started < 60:
        if not isinstance(await ask(), Failure):
            return time.monotonic() - started
        await asyncio.sleep(0.2)
    pytest.fail("no answer within a minute")


async def test_a_frozen_server_costs_a_time_out_and_then_nothing(mortal_server: MlflowServer) -> None:
    gateway = MlflowGateway(MlflowConfig(uri=mortal_server.uri, timeout_seconds=TIMEOUT_SECONDS))
    run_question = make_run_question()
    await gateway.ask(ALIAS)
    mortal_server.signal(signal.SIGSTOP)
    started = time.monotonic()
    first = await asyncio.gather(
        gateway.ask(run_question), *(gateway.ask(ResolveAlias("m", str(n))) for n in range(40))
    )
    took_seconds = time.monotonic() - started
    assert {failure.reason for failure in first} == {"TrackingUnavailable"}
    assert took_seconds < 3 * TIMEOUT_SECONDS + 2.0
    started = time.monotonic()
    assert (await gateway.ask(ALIAS)).reason == "TrackingUnavailable"
    assert time.monotonic() - started < 0.1
    mortal_server.signal(signal.SIGCONT)
    assert await until_answered(lambda: gateway.ask(ALIAS)) < 20
    # The frozen server carries out what it had been sent: still there is one run.
    run = await gateway.ask(run_question)
    open_runs = await gateway.ask(FindOpenRuns(run_question.identity.cluster))
    assert [found.run_id for found in open_runs] == [run.run_id]
    await gateway.close()


async def test_work_goes_on_soon_after_a_killed_server_is_back(
    mortal_server: MlflowServer, mlflow_server: MlflowServer
) -> None:
    gateway = MlflowGateway(MlflowConfig(uri=mortal_server.uri, timeout_seconds=TIMEOUT_SECONDS))
    other = MlflowGateway(MlflowConfig(uri=mlflow_server.uri, timeout_seconds=30.0))
    await gateway.ask(ALIAS)
    mortal_server.kill()
    for _ in range(5):
        assert (await gateway.ask(ALIAS)).reason == "TrackingUnavailable"
    started = time.monotonic()
    while time.monotonic() - started < 8.0:
        assert isinstance(await gateway.ask(ALIAS), Failure)
        assert await other.ask(ALIAS) is None
        await asyncio.sleep(0.2)
    await asyncio.to_thread(mortal_server.start)
    seconds = await until_answered(lambda: gateway.ask(ALIAS))
    print(f"answered {seconds:.1f} s after MLflow was back")
    assert seconds < 30
    await gateway.close()
    await other.close()
