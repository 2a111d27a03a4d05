"""What MLflow logs as an example, as one of Seldon's messages."""

import json
from typing import Any

import pytest

from modelyard.adapters.seldon_messages import request_of


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}},
            {"data": {"names": ["a", "b"], "ndarray": [[1, "x"]]}},
        ),
        ({"dataframe_split": {"data": [[1]]}}, {"data": {"names": [], "ndarray": [[1]]}}),
        ({"inputs": [[1, 2], [3, 4]]}, {"data": {"ndarray": [[1, 2], [3, 4]]}}),
        ({"instances": ["a", "b"]}, {"data": {"ndarray": ["a", "b"]}}),
    ],
    ids=["data frame", "data frame without names", "tensor", "list of text"],
)
def test_rows_become_seldons_rows(example: Any, message: Any) -> None:
    assert json.loads(request_of(json.dumps(example)) or "") == message


@pytest.mark.parametrize(
    "example",
    [
        {"inputs": {"left": [[1]], "right": [[2]]}},
        {"instances": [{"left": 1, "right": 2}]},
        {"dataframe_records": [{"a": 1}]},
        {"dataframe_split": {"columns": ["a"], "data": [[1]]}, "params": {"temperature": 0.5}},
        {"dataframe_split": {"columns": ["a"]}},
        {"messages": [{"role": "user", "content": "hello"}]},
        [1, 2],
        "text",
    ],
)
def test_what_has_no_place_in_rows_goes_as_mlflow_has_it(example: Any) -> None:
    assert json.loads(request_of(json.dumps(example)) or "") == {"jsonData": example}


@pytest.mark.parametrize("text", ["", "1,2", "[" * 100_000])
def test_what_is_no_json_is_no_message(text: str) -> None:
    assert request_of(text) is None
