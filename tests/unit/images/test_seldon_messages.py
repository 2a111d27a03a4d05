"""The server for Seldon's protocol: what a message asks of an MLflow model, and what the answer becomes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.types import ColSpec, Schema, TensorSpec

from tools.images.catalog import CHECKOUT

# MLflow says this of a module of its own while it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")

COLUMNS = Schema([ColSpec("string", "kind"), ColSpec("long", "n"), ColSpec("double", "x"), ColSpec("boolean", "ok")])
TENSOR = Schema([TensorSpec(np.dtype("float64"), (-1, 2))])
NAMES = ["kind", "n", "x", "ok"]


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(Path(CHECKOUT, "images/model-server-seldon")))
    from modelyard_seldon import messages  # type: ignore[import-not-found] # noqa: PLC0415 - found through the line above

    yield messages
    for name in [name for name in sys.modules if name.startswith("modelyard_seldon")]:
        del sys.modules[name]


def rows(*values: list[Any], names: list[str] | None = None) -> dict[str, Any]:
    return {"data": {"ndarray": list(values)} | ({"names": names} if names else {})}


def test_rows_with_text_and_numbers_keep_their_types(messages: ModuleType) -> None:
    frame, _ = messages.read(rows(["a", 1, 2, True], ["b", 2, 0.5, False], names=NAMES), COLUMNS)
    assert [str(kind) for kind in frame.dtypes] in (
        ["object", "int64", "float64", "bool"],
        ["str", "int64", "float64", "bool"],
    )
    assert frame.to_numpy().tolist() == [["a", 1, 2.0, True], ["b", 2, 0.5, False]]


def test_rows_without_names_are_in_the_order_of_the_signature(messages: ModuleType) -> None:
    frame, _ = messages.read(rows(["a", 1, 2, True]), COLUMNS)
    assert list(frame.columns) == NAMES


def test_names_may_be_in_another_order(messages: ModuleType) -> None:
    frame, _ = messages.read(rows([2, "a", True, 1], names=["x", "kind", "ok", "n"]), COLUMNS)
    assert (frame["kind"][0], frame["x"][0]) == ("a", 2.0)


@pytest.mark.parametrize(
    "data",
    [
        {"ndarray": [[1, 2], [3, 4]]},
        {"tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}},
        {"ndarray": [[1, 2], [3, 4]], "names": ["a", "b"]},
    ],
)
def test_both_forms_of_rows_become_the_tensor_of_the_signature(messages: ModuleType, data: Any) -> None:
    tensor, _ = messages.read({"data": data}, TENSOR)
    assert tensor.dtype == np.float64
    assert tensor.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_request_of_mlflows_goes_with_its_parameters(messages: ModuleType) -> None:
    request = {"dataframe_records": [{"kind": "a", "n": 1, "x": 2, "ok": True}], "params": {"limit": 3}}
    frame, params = messages.read({"jsonData": request}, COLUMNS)
    assert frame["kind"].tolist() == ["a"]
    assert params == {"limit": 3}
    assert "params" in request


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ([1], "the request is JSON, but no object"),
        (None, "the request is JSON, but no object"),
        ({}, "it holds nothing"),
        ({"strData": "x", "meta": {}}, "it holds strData"),
        ({"data": {"ndarray": 3}}, "data has to hold ndarray, a list of rows, or tensor"),
        ({"data": {"tftensor": {}}}, "data has to hold ndarray, a list of rows, or tensor"),
        ({"data": {"tensor": {"values": [1]}}}, "data.tensor needs values, and a shape that fits them"),
        (
            {"data": {"tensor": {"shape": [2, 2], "values": [1]}}},
            "data.tensor needs values, and a shape that fits them",
        ),
    ],
)
def test_a_message_that_asks_nothing_says_what_to_send(messages: ModuleType, message: Any, told: str) -> None:
    with pytest.raises(messages.BadMessage, match=told):
        messages.read(message, COLUMNS)


@pytest.mark.parametrize(
    "message",
    [
        rows(["a", "many", 2, True], names=NAMES),
        rows(["a", 1], ["b"], names=NAMES),
        rows(["a", 1, 2, True], names=["kind", "n"]),
        {"jsonData": {"rows": []}},
    ],
    ids=["text for a number", "ragged", "too few names", "no form of MLflow's"],
)
def test_values_that_do_not_suit_the_signature_are_the_clients_mistake(messages: ModuleType, message: Any) -> None:
    with pytest.raises(MlflowException) as caught:
        messages.read(message, COLUMNS)
    assert caught.value.get_http_status_code() == 400


ASKED = rows([1])


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (np.array([0, 2]), {"names": [], "ndarray": [0, 2]}),
        (np.array([[0.5, np.nan], [np.inf, 1.0]]), {"names": ["t:0", "t:1"], "ndarray": [[0.5, None], [None, 1.0]]}),
        (pd.Series(["a", "b"]), {"names": [], "ndarray": ["a", "b"]}),
        ([1, "a"], {"names": [], "ndarray": [1, "a"]}),
        (
            pd.DataFrame({"kind": ["a", "b"], "n": [1, 2], "x": [0.5, np.nan]}),
            {"names": ["kind", "n", "x"], "ndarray": [["a", 1, 0.5], ["b", 2, None]]},
        ),
    ],
    ids=["labels", "probabilities", "series", "list", "data frame"],
)
def test_predictions_become_rows(messages: ModuleType, answer: Any, data: Any) -> None:
    assert messages.write(answer, ASKED) == {"data": data}


def test_whoever_asks_with_a_tensor_is_answered_with_one(messages: ModuleType) -> None:
    asked = {"data": {"tensor": {"shape": [1], "values": [1]}}}
    answer = messages.write(np.array([[0.25, 0.75]]), asked)
    assert answer == {"data": {"names": ["t:0", "t:1"], "tensor": {"shape": [1, 2], "values": [0.25, 0.75]}}}


def test_whoever_asks_as_mlflow_does_is_answered_so(messages: ModuleType) -> None:
    frame = pd.DataFrame({"a": [1.5], "b": ["x"]})
    assert messages.write(frame, {"jsonData": {}}) == {"jsonData": {"predictions": [{"a": 1.5, "b": "x"}]}}
    assert messages.write(np.array([1, 2]), {"jsonData": {}}) == {"jsonData": {"predictions": [1, 2]}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (COLUMNS, [{"messagetype": "ndarray", "schema": {"names": NAMES, "shape": [-1, 4]}}]),
        (TENSOR, [{"messagetype": "ndarray", "schema": {"shape": [-1, 2]}}]),
        (None, []),
    ],
)
def test_metadata_tells_what_the_signature_says(messages: ModuleType, schema: Schema | None, told: Any) -> None:
    assert messages.describe(schema) == told
