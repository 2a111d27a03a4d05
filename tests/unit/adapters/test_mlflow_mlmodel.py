"""What is read from an MLmodel file, and what is made of one that nobody should have written."""

import json
import time
from typing import Any

import pytest
import yaml

from modelyard.adapters.mlflow.mlmodel import UnreadableError, card_of, pins_of
from modelyard.core.model_card import Column, ModelCard, Signature

COLUMNS = [{"type": "double", "name": "age", "required": True}, {"type": "string", "name": "plan", "required": False}]
TENSOR = {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}
PYFUNC: dict[str, Any] = {
    "loader_module": "mlflow.sklearn",
    "model_path": "model.pkl",
    "python_version": "3.11.7",
    "env": {"virtualenv": "python_env.yaml"},
}
USUAL: dict[str, Any] = {
    "flavors": {
        "python_function": PYFUNC,
        "sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "code": None},
    },
    "mlflow_version": "3.17.2",
    "saved_input_example_info": {"serving_input_path": "serving_input_example.json", "type": "dataframe"},
    "signature": {"inputs": json.dumps(COLUMNS), "outputs": json.dumps([TENSOR]), "params": None},
    "utc_time_created": "2026-01-05 12:00:00",
}
REQUIREMENTS = (
    "mlflow==3.17.2\nscikit_learn==1.9.1\nnumpy>=2\n--index-url https://example.org\ngit+https://x/y\n./local\n"
)


def card(requirements: str | None = None, python_env: str | None = None, **changes: Any) -> ModelCard:
    return card_of(yaml.safe_dump(USUAL | changes), requirements, python_env)


def test_everything_that_matters_is_read() -> None:
    assert card(REQUIREMENTS) == ModelCard(
        flavours=("sklearn",),
        loader="mlflow.sklearn",
        python="3.11.7",
        mlflow="3.17.2",
        is_pickled=True,
        requirements=(("mlflow", "3.17.2"), ("numpy", ""), ("scikit-learn", "1.9.1")),
        signature=Signature(
            (Column("age", "double"), Column("plan", "string", is_required=False)),
            (Column("", json.dumps(TENSOR, sort_keys=True)),),
        ),
        example="serving_input_example.json",
    )


@pytest.mark.parametrize(
    ("flavours", "is_pickled"),
    [
        ({"sklearn": {"serialization_format": "skops", "pickled_model": "model.skops"}}, False),
        ({"sklearn": {"serialization_format": "skops", "pickled_model": "model.pkl"}}, False),
        ({"sklearn": {"serialization_format": "cloudpickle"}}, True),
        ({"sklearn": {"pickled_model": "model.pkl"}}, True),
        ({"python_function": {"python_model": "python_model.pkl"}}, True),
        ({"python_function": {"model_path": "model.py"}}, False),
        ({"xgboost": {"data": "model.ubj"}}, False),
    ],
)
def test_pickles_are_told_by_their_format_and_else_by_their_name(flavours: dict[str, Any], is_pickled: bool) -> None:
    assert card(flavors=flavours).is_pickled is is_pickled


def test_an_older_model_tells_its_python_in_a_file_of_its_own() -> None:
    flavours = {"python_function": {"loader_module": "mlflow.sklearn"}}
    assert card(python_env="python: 3.9.6\ndependencies: []\n", flavors=flavours).python == "3.9.6"
    assert card(python_env="python: [", flavors=flavours).python is None


def test_without_python_function_there_is_no_loader() -> None:
    assert card(flavors={"spark": {}}).loader is None


@pytest.mark.parametrize("signature", [None, {}, {"inputs": None, "outputs": None, "params": None}, "text"])
def test_without_a_signature_there_is_none(signature: Any) -> None:
    assert card(signature=signature).signature is None


def test_optional_columns_of_older_models_are_optional() -> None:
    old = [{"type": "double", "name": "age", "optional": True}, {"type": "double", "name": "b"}]
    found = card(signature={"inputs": json.dumps(old)}).signature
    assert found is not None
    assert [column.is_required for column in found.inputs] == [False, True]


@pytest.mark.parametrize("path", ["../secret.json", "/etc/passwd", "a/../b", "", "a\nb", "x" * 200, ["a"]])
def test_a_path_that_leads_elsewhere_is_no_example(path: Any) -> None:
    assert card(saved_input_example_info={"serving_input_path": path}).example is None


NONE_OF_MLFLOWS = {
    "nothing": "",
    "text": "hello",
    "a list": "- 1\n- 2\n",
    "no YAML": "a: [",
    "no flavors": "mlflow_version: 3.17.2",
    "flavors that are none": "flavors: [sklearn]",
    "a tag": "!!python/object/apply:os.system ['true']",
    "deep": "[" * 60_000,
    "deep blocks": "\n".join(" " * depth + "a:" for depth in range(300)),
    "a cycle": "flavors: &a {python_function: *a}",
    "not JSON": yaml.safe_dump({"signature": {"inputs": "["}}),
    "deep JSON": yaml.safe_dump({"signature": {"inputs": "[" * 50_000}}),
    "no columns": yaml.safe_dump({"signature": {"inputs": "{}"}}),
    "no type": yaml.safe_dump({"signature": {"inputs": '[{"name": "x"}]'}}),
    "a huge number": yaml.safe_dump({"signature": {"inputs": "9" * 5_000}}),
    "too many columns": yaml.safe_dump({"signature": {"inputs": json.dumps([{"type": "long"}] * 20_001)}}),
}


@pytest.mark.parametrize("text", NONE_OF_MLFLOWS.values(), ids=NONE_OF_MLFLOWS)
def test_what_mlflow_never_writes_is_unreadable_and_does_no_harm(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(UnreadableError):
        card_of(text, None, None)
    assert time.monotonic() - started < 5


def test_anchors_that_refer_to_each_other_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60))]
    merged = ["b0: &b0 {k: v}", *(f"b{n}: &b{n} {{<<: [{', '.join([f'*b{n - 1}'] * 9)}]}}" for n in range(1, 60))]
    started = time.monotonic()
    assert card_of("\n".join(["flavors: {}", *lines, *merged]), None, None) == ModelCard()
    assert time.monotonic() - started < 5


def test_text_of_others_comes_on_one_line_and_cut() -> None:
    found = card(flavors={"a\u202eb\nc" + "x" * 500: {}}, mlflow_version="3; rm -rf", signature=None)
    assert len(found.flavours[0]) == 120
    assert "\n" not in found.flavours[0]
    assert "\u202e" not in found.flavours[0]
    assert found.mlflow is None


def test_requirements_are_bounded() -> None:
    assert len(pins_of("\n".join(f"library-{number}==1" for number in range(5_000)))) == 1_000


@pytest.mark.parametrize("value", [{}, {"python_function": []}, {"python_function": {"python_version": {}}}])
def test_odd_values_are_as_good_as_none(value: Any) -> None:
    found = card(flavors=value, mlflow_version=value, saved_input_example_info=value, signature=value)
    assert (found.python, found.mlflow, found.example, found.signature) == (None, None, None, None)
