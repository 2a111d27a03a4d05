"""Versions and aliases, against a real MLflow server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api.mlflow_adapter.support import log_model, make_run_question, register, unique
from api.mlflow_server import MlflowServer
from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.tracking import (
    FindModels,
    GetVersion,
    ReadAlias,
    RegisterVersion,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.api


async def test_a_version_is_registered_with_its_tags_and_alias(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client)
    assert (version.version, version.model_id, version.run_id) == ("1", question.model_id, question.run_id)
    assert dict(version.tags) == {
        "modelyard.io/trainingjob": "digits",
        "modelyard.io/cluster": question.identity.cluster,
        "modelyard.io/trainingjob-uid": question.identity.owner_uid,
        "modelyard.io/attempt": "1",
    }
    assert await gateway.ask(ReadAlias(question.name, "champion")) == version
    assert await gateway.ask(GetVersion(question.name, "1")) == version


async def test_registering_again_makes_no_second_version(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client)
    assert await gateway.ask(question) == version
    assert len(client.search_model_versions(f"name='{question.name}'")) == 1


async def test_a_crash_before_the_alias_was_set_is_made_good(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, version = await register(gateway, client, aliases=())
    assert await gateway.ask(ReadAlias(question.name, "champion")) is None
    assert await gateway.ask(replace(question, aliases=("champion", "newest"))) == version
    assert await gateway.ask(ReadAlias(question.name, "newest")) == version


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
    assert await gateway.ask(ReadAlias(question.name, "champion")) == second
    client.set_registered_model_alias(question.name, "champion", "1")
    assert await gateway.ask(ReadAlias(question.name, "champion")) == first


async def test_an_unknown_model_alias_or_version_is_none(gateway: MlflowGateway, client: MlflowClient) -> None:
    question, _ = await register(gateway, client)
    assert await gateway.ask(ReadAlias("no such model", "champion")) is None
    assert await gateway.ask(ReadAlias(question.name, "challenger")) is None
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
    assert await gateway.ask(ReadAlias(name, "champion")) == version
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


def test_answering_questions_loads_no_model_code() -> None:
    names = "('mlflow.pyfunc', 'mlflow.sklearn', 'joblib', 'sklearn')"
    check = f"import sys; import modelyard.adapters.mlflow.questions; sys.exit(any(n in sys.modules for n in {names}))"
    operator = Path(__file__).parents[3] / "operator"
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(operator)}, check=False).returncode == 0
