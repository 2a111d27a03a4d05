"""What a server image cannot run, and what differs without harm."""

from typing import Any

import pytest

from builders import SERVER_IMAGE, make_card
from modelyard.core.model_card import ModelCard
from modelyard.core.model_deployment.environment import flavour_of, notes_of, problems_of
from modelyard.core.server_image import ServerImage, described

OWN_CODE: dict[str, Any] = {"loader": "mlflow.pyfunc.model", "flavours": ()}

PROBLEMS = [
    (make_card(python="3.12.4"), "the model is pickled with Python 3.12, the server image has 3.11"),
    (make_card(mlflow="4.0.0"), "the model was logged with MLflow 4.0.0, the server image has 3.17.2"),
    (
        make_card(loader="mlflow.xgboost", flavours=("xgboost",)),
        "the model needs the flavour xgboost, the server image has python_function, sklearn",
    ),
    (
        make_card(requirements=(("numpy", "1.26.4"),)),
        "the model is pickled with numpy 1.26.4, the server image has 2.4.6",
    ),
    (
        make_card(loader=None, flavours=("spark",)),
        "the model has no python_function flavour, only spark: log it with a flavour of MLflow that has one",
    ),
]


@pytest.mark.parametrize(("card", "told"), PROBLEMS, ids=[told[:60] for _, told in PROBLEMS])
def test_what_cannot_run_names_both_sides(card: ModelCard, told: str) -> None:
    assert list(problems_of(card, SERVER_IMAGE)) == [told]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"python": "3.11.2"},
        {"python": "3.12.4", "is_pickled": False},
        {"python": None},
        {"mlflow": "3.18.0"},
        {"mlflow": "2.9.2"},
        {"mlflow": None},
        {"requirements": (("numpy", "2.1.0"), ("scikit-learn", "1.9.0"), ("left-pad", "1.0"))},
        {"requirements": (("numpy", "1.26.4"),), "is_pickled": False},
        {"requirements": (("numpy", ""),)},
        {"loader": "their.own.loader"},
        OWN_CODE,
    ],
    ids=str,
)
def test_what_may_well_run_is_no_problem(changes: dict[str, Any]) -> None:
    assert list(problems_of(make_card(**changes), SERVER_IMAGE)) == []


def test_every_problem_is_told_at_once() -> None:
    card = make_card(python="3.9.1", mlflow="4.1.0", loader="mlflow.torch")
    assert len(list(problems_of(card, SERVER_IMAGE))) == 3


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({}, []),
        ({"python": "3.12.4", "is_pickled": False}, ["Python is 3.11 instead of 3.12"]),
        ({"requirements": (("scikit-learn", "1.5.2"),)}, ["scikit-learn is 1.9.1 instead of 1.5.2"]),
        ({"requirements": (("scikit-learn", "1.9.0"),)}, []),
    ],
)
def test_differences_that_may_do_no_harm_are_noted(changes: dict[str, Any], notes: list[str]) -> None:
    assert notes_of(make_card(**changes), SERVER_IMAGE) == notes


@pytest.mark.parametrize(
    ("loader", "flavour"),
    [
        ("mlflow.sklearn", "sklearn"),
        ("mlflow.pyfunc.model", "python_function"),
        ("mlflow.pyfunc.loaders.chat_model", "python_function"),
        ("mlflow.pyfunc", "python_function"),
        ("their.loader", None),
        (None, None),
    ],
)
def test_the_loader_tells_the_flavour_that_is_needed(loader: str | None, flavour: str | None) -> None:
    assert flavour_of(make_card(loader=loader)) == flavour


@pytest.mark.parametrize("field", ["python", "mlflow", "flavours"])
def test_what_an_administrator_left_out_is_not_compared(field: str) -> None:
    card = make_card(python="3.12.4", mlflow="4.0.0", loader="mlflow.torch")
    told = list(problems_of(card, SERVER_IMAGE.model_copy(update={field: None})))
    assert len(told) == 2


def test_of_an_image_that_nobody_described_little_is_known() -> None:
    assert list(problems_of(make_card(python="3.12.4", mlflow="9.0"), None)) == []
    assert len(list(problems_of(make_card(loader=None), None))) == 1


def test_the_first_description_that_fits_counts() -> None:
    own, any_tag = ServerImage(image="r.example.org/ml/server:2"), ServerImage(image="r.example.org/ml/*")
    assert described([own, any_tag], "r.example.org/ml/server:2") is own
    assert described([own, any_tag], "r.example.org/ml/server:3") is any_tag
    assert described([own, any_tag], "r.example.org/other:1") is None
    assert described([ServerImage(image="[::1]:5000/*")], "[::1]:5000/server:1") is not None


def test_libraries_are_found_however_they_are_written() -> None:
    image = ServerImage(image="x", libraries={"Scikit_Learn": "0.24.2"})
    card = make_card(requirements=(("scikit-learn", "1.9.1"),))
    assert list(problems_of(card, image)) == [
        "the model is pickled with scikit-learn 1.9.1, the server image has 0.24.2"
    ]
