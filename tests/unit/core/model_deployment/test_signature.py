"""Which changes of a signature break clients, and which do not."""

import pytest

from modelyard.core.model_card import Column, Signature
from modelyard.core.model_deployment.signature import breaking_changes

TENSOR = '{"tensor-spec": {"dtype": "float64", "shape": [-1, 4]}, "type": "tensor"}'
WIDER_TENSOR = TENSOR.replace("4", "5")


def taking(*inputs: Column, gives: str = "long") -> Signature:
    return Signature(inputs, (Column("label", gives),))


BEFORE = taking(Column("age", "double"), Column("plan", "string", is_required=False))

BREAKING = [
    (taking(Column("age", "double")), ["input plan is gone"]),
    (taking(Column("age", "string"), Column("plan", "string", False)), ["input age was double and is string"]),
    (taking(Column("age", "float"), Column("plan", "string", False)), ["input age was double and is float"]),
    (taking(Column("age", "double"), Column("plan", "string")), ["input plan is required now"]),
    (taking(*BEFORE.inputs, Column("city", "string")), ["input city is new and required"]),
    (Signature(BEFORE.inputs, (Column("label", "string"),)), ["output label was long and is string"]),
    (Signature(BEFORE.inputs, (Column("score", "double"),)), ["output label is gone"]),
    (None, ["the signature is gone"]),
]


@pytest.mark.parametrize(("new", "told"), BREAKING, ids=[told[0] for _, told in BREAKING])
def test_what_breaks_clients_is_named(new: Signature | None, told: list[str]) -> None:
    assert breaking_changes(BEFORE, new) == told


@pytest.mark.parametrize(
    "new",
    [
        BEFORE,
        Signature(tuple(reversed(BEFORE.inputs)), BEFORE.outputs),
        taking(*BEFORE.inputs, Column("city", "string", is_required=False)),
        Signature(BEFORE.inputs, (*BEFORE.outputs, Column("score", "double"))),
    ],
    ids=["the same", "in another order", "a new optional input", "a further output"],
)
def test_what_breaks_nobody_is_not_told(new: Signature) -> None:
    assert breaking_changes(BEFORE, new) == []


@pytest.mark.parametrize(("old", "new"), [("integer", "long"), ("integer", "double"), ("float", "double")])
def test_an_input_may_become_wider_where_mlflow_converts(old: str, new: str) -> None:
    assert breaking_changes(taking(Column("age", old)), taking(Column("age", new))) == []
    assert breaking_changes(taking(Column("age", new)), taking(Column("age", old))) != []


def test_tensors_without_names_are_compared_by_their_place() -> None:
    old, new = taking(Column("", TENSOR)), taking(Column("", WIDER_TENSOR))
    assert breaking_changes(old, old) == []
    assert breaking_changes(old, new) == [f"input #1 was {TENSOR} and is {WIDER_TENSOR}"]


def test_nothing_breaks_where_there_was_no_signature() -> None:
    assert breaking_changes(None, BEFORE) == []


def test_of_many_changes_the_first_are_named_and_the_others_counted() -> None:
    old = taking(*(Column(f"c{number}", "double") for number in range(500)))
    told = breaking_changes(old, taking())
    assert told[0] == "input c0 is gone"
    assert told[-1] == "and 495 more changes like these"
    assert len(told) == 6
