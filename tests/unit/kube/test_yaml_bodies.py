"""What is applied on the server's side is JSON that YAML reads the same, whatever text it holds."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelyard.kube.connection import as_yaml


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), st.lists, max_leaves=5))
def test_yaml_and_json_read_the_same(body: object) -> None:
    assert yaml.safe_load(as_yaml(body)) == body
    assert json.loads(as_yaml(body)) == body


@pytest.mark.parametrize("text", ["🏃 View run", "\x7f\x85\x9f", "\u2028\ufeff", "a\\ud83c", '"quoted"\\'])
def test_texts_that_other_encodings_of_json_spoil(text: str) -> None:
    assert yaml.safe_load(as_yaml({"message": text})) == {"message": text}


def test_half_a_character_is_replaced_and_refuses_nothing() -> None:
    assert json.loads(as_yaml({"message": "\ud83c"})) == {"message": "?"}
