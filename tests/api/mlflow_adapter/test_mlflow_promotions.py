"""What promotions ask of a real MLflow server: measurements, aliases that move from one version to another, tags."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

from api.mlflow_adapter.support import register, unique
from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AliasHolder,
    GetVersion,
    Measurement,
    MoveAlias,
    ReadMeasurements,
    RegisteredVersion,
    TagVersion,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.api


@pytest.fixture
async def version(gateway: MlflowGateway, client: MlflowClient) -> RegisteredVersion:
    return (await register(gateway, client))[1]


def another(client: MlflowClient, version: RegisteredVersion) -> str:
    """One more version of the same model; its number."""
    made = client.create_model_version(
        version.name,
        f"models:/{version.model_id}",
        version.run_id,
        model_id=version.model_id,
        await_creation_for=0,
    )
    return str(made.version)


async def test_measurements_of_the_model_come_first_and_tell_their_datasets(
    gateway: MlflowGateway, client: MlflowClient, version: RegisteredVersion
) -> None:
    run_id, model_id = str(version.run_id), str(version.model_id)
    client.log_metric(run_id, "accuracy", 0.5, step=1)
    client.log_metric(run_id, "accuracy", 0.6, step=3)
    client.log_metric(run_id, "accuracy", 0.7, step=2)
    client.log_metric(run_id, "f1", 0.9, model_id=model_id, dataset_name="holdout", dataset_digest="d")
    client.log_metric(run_id, "f1", 0.8, model_id=model_id, dataset_name="train", dataset_digest="e")
    found = await gateway.ask(ReadMeasurements(model_id, run_id, ("accuracy", "f1")))
    of_model = [item for item in found if not item.is_of_run]
    assert of_model == [Measurement("f1", "holdout", "0.9"), Measurement("f1", "train", "0.8")]
    assert Measurement("accuracy", None, "0.6", is_of_run=True) in found


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (1e-7, "1e-07")]
)
async def test_odd_values_are_told_by_name(
    gateway: MlflowGateway, client: MlflowClient, version: RegisteredVersion, value: float, text: str
) -> None:
    client.log_metric(str(version.run_id), "odd", value)
    (found,) = await gateway.ask(ReadMeasurements(version.model_id, version.run_id, ("odd",)))
    assert found.value == text


async def test_a_model_and_a_run_that_are_gone_measured_nothing(gateway: MlflowGateway) -> None:
    assert await gateway.ask(ReadMeasurements("m-" + "0" * 32, "0" * 32, ("accuracy",))) == ()
    assert await gateway.ask(ReadMeasurements(None, None, ("accuracy",))) == ()


async def test_an_alias_moves_from_the_version_that_is_expected(
    gateway: MlflowGateway, client: MlflowClient, version: RegisteredVersion
) -> None:
    second = another(client, version)
    assert await gateway.ask(MoveAlias(version.name, "champion", second, "1")) == AliasHolder(second)
    assert await gateway.ask(MoveAlias(version.name, "champion", second, "1")) == AliasHolder(second), "asked again"
    assert await gateway.ask(MoveAlias(version.name, "champion", "1", "7")) == AliasHolder(second)
    assert await gateway.ask(MoveAlias(version.name, "new", second, None)) == AliasHolder(second)
    assert await gateway.ask(MoveAlias(version.name, "new", "1", None)) == AliasHolder(second)


async def test_of_many_moves_at_once_one_is_made(
    gateway: MlflowGateway, client: MlflowClient, version: RegisteredVersion
) -> None:
    numbers = [another(client, version) for _ in range(8)]
    moves = [gateway.ask(MoveAlias(version.name, "champion", number, "1")) for number in numbers]
    found = await asyncio.gather(*moves)
    holder = client.get_model_version_by_alias(version.name, "champion").version
    assert found == [AliasHolder(str(holder))] * 8
    assert str(holder) in numbers


async def test_an_alias_cannot_move_to_a_version_that_is_gone(
    gateway: MlflowGateway, client: MlflowClient, version: RegisteredVersion
) -> None:
    second = another(client, version)
    client.delete_model_version(version.name, second)
    refused = await gateway.ask(MoveAlias(version.name, "champion", second, "1"))
    assert isinstance(refused, Failure)
    assert not refused.is_transient
    assert client.get_model_version_by_alias(version.name, "champion").version == "1"


async def test_a_reserved_alias_is_refused(gateway: MlflowGateway, version: RegisteredVersion) -> None:
    refused = await gateway.ask(MoveAlias(version.name, "latest", "1", None))
    assert isinstance(refused, Failure)
    assert refused.reason == "NameInvalid"


async def test_tags_are_added_to_a_version(gateway: MlflowGateway, version: RegisteredVersion) -> None:
    question = TagVersion(version.name, "1", (("modelyard.io/champion.result", "Promoted"),))
    tagged = await gateway.ask(question)
    assert dict(tagged.tags) == {**dict(version.tags), "modelyard.io/champion.result": "Promoted"}
    assert await gateway.ask(question) == tagged
    assert await gateway.ask(GetVersion(version.name, "1")) == tagged
    assert await gateway.ask(TagVersion(version.name, "9", ())) is None
    assert await gateway.ask(TagVersion(unique("nothing"), "1", ())) is None
