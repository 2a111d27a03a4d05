"""What a version's files say, read through a real MLflow server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from api.mlflow_adapter.support import make_run_question, unique
from modelyard.adapters.mlflow.files import MOST_BYTES
from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.model_card import Column, ModelCard, ReadModelCard
from modelyard.core.plan import Failure
from support.tracking import run_training_code

if TYPE_CHECKING:
    from mlflow import MlflowClient

SAVING = """
import os
import mlflow.sklearn
import pandas
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

inputs = pandas.DataFrame({"age": [20.0, 40.0, 60.0], "plan": [1.0, 0.0, 1.0]})
model = LogisticRegression().fit(inputs, [0, 1, 1])
mlflow.sklearn.save_model(
    model, os.environ["FOLDER"], signature=infer_signature(inputs, model.predict(inputs)), input_example=inputs,
    serialization_format="cloudpickle", pip_requirements=["mlflow==3.17.2", "scikit-learn==1.9.1"],
)
"""

pytestmark = pytest.mark.api


async def version_of(gateway: MlflowGateway, client: MlflowClient, folder: Path | None) -> ReadModelCard:
    """A version whose files are those of a folder; the question for its card."""
    run, name = await gateway.ask(make_run_question()), unique("team.digits")
    model = client.create_logged_model(run.experiment_id, name="model", source_run_id=run.run_id)
    if folder is not None:
        client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model(name)
    client.create_model_version(name, f"models:/{model.model_id}", run.run_id, model_id=model.model_id)
    return ReadModelCard(name, "1")


def folder_with(path: Path, **files: str | bytes) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


async def test_a_model_that_mlflow_saved_is_read(gateway: MlflowGateway, client: MlflowClient, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    run_training_code(SAVING, {"FOLDER": str(folder)})
    card = await gateway.ask(await version_of(gateway, client, folder))
    assert isinstance(card, ModelCard)
    told = yaml.safe_load((folder / "MLmodel").read_text())
    assert (card.flavours, card.loader, card.is_pickled) == (("sklearn",), "mlflow.sklearn", True)
    assert (card.mlflow, card.python) == (told["mlflow_version"], told["flavors"]["python_function"]["python_version"])
    assert card.signature is not None
    assert card.signature.inputs == (Column("age", "double"), Column("plan", "double"))
    assert card.example == "serving_input_example.json"
    assert dict(card.requirements)["scikit-learn"] == "1.9.1"


async def test_a_version_without_files_has_no_card(gateway: MlflowGateway, client: MlflowClient) -> None:
    assert await gateway.ask(await version_of(gateway, client, None)) is None


async def test_a_version_that_does_not_exist_has_no_card(gateway: MlflowGateway) -> None:
    assert await gateway.ask(ReadModelCard("no such model", "1")) is None


@pytest.mark.parametrize(
    ("mlmodel", "why"),
    [
        ("just text", "it is not a YAML mapping"),
        (b"\xff\xfe\x00", "it is not text"),
        ("flavors: {}\n#" + "x" * MOST_BYTES, "more than 1 MiB"),
        ("[" * 60_000, "nested deeper than MLflow writes"),
    ],
    ids=["text", "bytes", "large", "deep"],
)
async def test_what_is_no_mlmodel_is_said(
    gateway: MlflowGateway, client: MlflowClient, tmp_path: Path, mlmodel: Any, why: str
) -> None:
    answer = await gateway.ask(await version_of(gateway, client, folder_with(tmp_path / "m", MLmodel=mlmodel)))
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.is_transient) == ("ModelUnreadable", False)
    assert why in answer.message


async def test_a_version_that_is_no_number_is_not_asked_for(gateway: MlflowGateway) -> None:
    answer = await gateway.ask(ReadModelCard("digits", "../1"))
    assert isinstance(answer, Failure)
    assert answer.reason == "NameInvalid"
