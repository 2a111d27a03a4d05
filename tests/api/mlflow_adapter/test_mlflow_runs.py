"""Runs and logged models, against a real MLflow server."""

from __future__ import annotations

import asyncio
import math
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from api.mlflow_adapter.support import log_model, make_run_question, persist, unique
from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.tracking import (
    AttemptIdentity,
    Dataset,
    Ended,
    EndRun,
    FindModels,
    FindOpenRuns,
    Metric,
    ReadMetrics,
    RunStatus,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.api


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


async def test_a_shared_run_goes_on_as_the_next_attempts(gateway: MlflowGateway, client: MlflowClient) -> None:
    question = make_run_question(is_shared=True)
    run = await gateway.ask(question)
    client.log_metric(run.run_id, "loss", 0.5, step=1)
    ending = (("modelyard.io/reason", "OOMKilled"), ("modelyard.io/exit-code", "137"))
    await gateway.ask(EndRun(run.run_id, RunStatus.FAILED, 1234567890000, ending))
    second = replace(question, identity=replace(question.identity, attempt=2), parameters=(("C", "2.0"), ("more", "1")))
    assert await gateway.ask(second) == run
    resumed = client.get_run(run.run_id)
    assert resumed.info.status == "RUNNING"
    assert resumed.data.params == {"C": "1.0", "solver": "lbfgs", "more": "1"}, "MLflow's parameters cannot change"
    assert resumed.data.tags["modelyard.io/attempt"] == "2"
    assert not {name for name, _ in ending} & set(resumed.data.tags), "how an earlier attempt ended is not its own end"
    assert await gateway.ask(second) == run
    await gateway.ask(EndRun(run.run_id, RunStatus.FINISHED, 1234567890999))
    ended = client.get_run(run.run_id).info
    assert (ended.status, ended.end_time) == ("FINISHED", 1234567890999)
    assert len(client.search_runs([run.experiment_id])) == 1


@pytest.mark.parametrize("is_shared", [False, True], ids=["its own", "a shared one"])
@pytest.mark.parametrize(
    "mended",
    [{"tags": (("modelyard.io/parameters-digest", "two"),)}, {"datasets": ()}],
    ids=["parameters", "datasets"],
)
async def test_a_run_of_a_spec_that_was_mended_before_it_began_is_set_aside(
    gateway: MlflowGateway, client: MlflowClient, mended: dict[str, Any], is_shared: bool
) -> None:
    tags = (("modelyard.io/parameters-digest", "one"),)
    first = make_run_question(is_shared=is_shared, tags=tags, datasets=(Dataset("digits", "s3://digits"),))
    aside = await gateway.ask(first)
    second = replace(first, parameters=(("C", "2.0"),), **mended)
    run = await gateway.ask(second)
    assert run != aside
    assert await gateway.ask(second) == run
    assert client.get_run(run.run_id).data.params == {"C": "2.0"}
    assert client.get_run(run.run_id).info.status == "RUNNING"
    assert client.get_run(aside.run_id).info.status == "KILLED"
    assert client.get_run(aside.run_id).data.tags["modelyard.io/reason"] == "Superseded"


async def test_a_run_whose_job_was_refused_goes_on_once_the_job_can_be_made(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    question = make_run_question()
    run = await gateway.ask(question)
    await gateway.ask(EndRun(run.run_id, RunStatus.FAILED, 1234567890000, (("modelyard.io/reason", "InvalidSpec"),)))
    assert await gateway.ask(question) == run
    found = client.get_run(run.run_id)
    assert found.info.status == "RUNNING"
    assert "modelyard.io/reason" not in found.data.tags


async def test_runs_are_shared_within_one_owner_and_never_with_strays(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    question = make_run_question(is_shared=True)
    run = await gateway.ask(question)
    tags = {
        "modelyard.io/cluster": question.identity.cluster,
        "modelyard.io/trainingjob-uid": question.identity.owner_uid,
        "modelyard.io/parent-attempt": "1",
    }
    client.create_run(run.experiment_id, start_time=1, tags=tags)
    assert await gateway.ask(replace(question, identity=replace(question.identity, attempt=2))) == run
    for other in (replace(question.identity, owner_uid="other"), replace(question.identity, cluster="other")):
        assert await gateway.ask(replace(question, identity=other)) != run


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

    def miss_once(*arguments: Any) -> Any:
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
    runs = await asyncio.gather(*(persist(gateway, question) for question in questions))
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


async def test_runs_that_the_code_left_open_end_with_the_attempts_own(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    question = make_run_question()
    run = await gateway.ask(question)
    elsewhere = client.create_experiment(unique("elsewhere"))

    def stray(attempt: str, cluster: str = question.identity.cluster) -> str:
        tags = {
            "modelyard.io/cluster": cluster,
            "modelyard.io/trainingjob-uid": question.identity.owner_uid,
            "modelyard.io/parent-attempt": attempt,
        }
        return str(client.create_run(elsewhere, tags=tags).info.run_id)

    mine, ended = stray("1"), stray("1")
    client.set_terminated(ended, "FINISHED", 5)
    others = [stray("2"), stray("1", cluster="another")]
    await gateway.ask(EndRun(run.run_id, RunStatus.FAILED, 1_800_000_000_000, strays_of=question.identity))
    assert client.get_run(mine).info.status == "FAILED"
    assert client.get_run(ended).info.status == "FINISHED"
    assert [client.get_run(other).info.status for other in others] == ["RUNNING", "RUNNING"]


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


async def test_of_one_owner_runs_that_only_their_code_called_failed_are_found_too(
    gateway: MlflowGateway, client: MlflowClient
) -> None:
    cluster, uid = unique("cluster"), str(uuid.uuid4())
    identities = [AttemptIdentity(cluster, uid, number) for number in (1, 2, 3, 4)]
    going, failed, told, done = [await gateway.ask(make_run_question(identity=identity)) for identity in identities]
    client.set_terminated(failed.run_id, "FAILED")
    client.set_terminated(done.run_id, "FINISHED")
    await gateway.ask(EndRun(told.run_id, RunStatus.FAILED, 1, tags=(("modelyard.io/reason", "Error"),)))
    other = await gateway.ask(make_run_question(identity=AttemptIdentity(cluster, str(uuid.uuid4()), 1)))
    found = await gateway.ask(FindOpenRuns(cluster, uid))
    assert {(run.run_id, run.identity) for run in found} == {
        (going.run_id, identities[0]),
        (failed.run_id, identities[1]),
    }
    await gateway.ask(EndRun(other.run_id, RunStatus.KILLED, 1))
    await gateway.ask(EndRun(going.run_id, RunStatus.KILLED, 1))


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


async def test_tags_longer_than_mlflow_allows_are_cut(gateway: MlflowGateway, client: MlflowClient) -> None:
    run = await gateway.ask(make_run_question(tags=(("long", "x" * 9000),)))
    assert client.get_run(run.run_id).data.tags["long"].endswith("[cut by modelyard]")
