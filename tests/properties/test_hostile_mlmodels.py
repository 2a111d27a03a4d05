"""Whatever lies at MLmodel: it becomes a card of bounded, visible text, or is said to be unreadable."""

import contextlib
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from modelyard.adapters.mlflow.mlmodel import UnreadableError, card_of
from modelyard.core.model_card import ModelCard
from modelyard.core.model_deployment.environment import notes_of, problems_of
from modelyard.core.model_deployment.signature import breaking_changes

ENOUGH = settings(max_examples=300, deadline=None)
TEXT = st.text(max_size=40) | st.sampled_from(["3.11.7", "mlflow.sklearn", "null", "..", "a\u202eb", "\x00", "9" * 300])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
COLUMN = st.fixed_dictionaries(
    {}, optional={"type": TEXT | JSON, "name": TEXT | JSON, "required": JSON, "tensor-spec": JSON}
)
COLUMNS = st.lists(COLUMN, max_size=5).map(json.dumps)
FLAVOUR = st.fixed_dictionaries(
    {},
    optional={
        "loader_module": TEXT | JSON,
        "python_version": TEXT | JSON,
        "model_path": JSON,
        "serialization_format": JSON,
    },
)
MLMODEL = st.fixed_dictionaries(
    {"flavors": st.dictionaries(st.just("python_function") | TEXT, FLAVOUR | JSON, max_size=4)},
    optional={
        "mlflow_version": TEXT | JSON,
        "signature": st.fixed_dictionaries({}, optional={"inputs": COLUMNS | JSON, "outputs": COLUMNS | JSON}) | JSON,
        "saved_input_example_info": st.fixed_dictionaries({}, optional={"serving_input_path": TEXT | JSON}) | JSON,
    },
)


def written(fields: dict[str, Any]) -> str:
    """As MLflow writes it; what YAML cannot hold is as JSON."""
    try:
        return yaml.safe_dump(fields)
    except yaml.YAMLError:
        return json.dumps(fields)


def read(text: str, others: str = "") -> ModelCard | None:
    with contextlib.suppress(UnreadableError):
        return card_of(text, others, others)
    return None


def texts(card: ModelCard) -> list[str]:
    """All that may end up in a status."""
    signature = card.signature
    columns = [*signature.inputs, *signature.outputs] if signature else []
    found = [*card.flavours, *(name for pin in card.requirements for name in pin)]
    found += [text for column in columns for text in (column.name, column.type)]
    return found + [text for text in (card.loader, card.python, card.mlflow, card.example) if text]


def judge(card: ModelCard) -> list[str]:
    """Every sentence about it."""
    signature = builders.make_card().signature
    found = [*problems_of(card, builders.SERVER_IMAGE), *notes_of(card, builders.SERVER_IMAGE)]
    return found + breaking_changes(signature, card.signature) + breaking_changes(card.signature, signature)


@ENOUGH
@given(MLMODEL, TEXT)
def test_a_card_holds_nothing_but_short_visible_text(fields: dict[str, Any], others: str) -> None:
    card = read(written(fields), others)
    if card is not None:
        assert all(len(text) <= 400 and text.isprintable() for text in texts(card))
        assert card.example is None or ".." not in card.example.split("/")
        assert all(isinstance(said, str) for said in judge(card))


@ENOUGH
@given(st.text(max_size=400) | st.text(alphabet="{}[]:,-&*!|>\"' \n?ab<", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    card = read(text, text)
    assert card is None or judge(card) is not None
