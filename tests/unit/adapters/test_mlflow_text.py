"""What is let through of foreign text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.adapters.mlflow import text
from modelyard.adapters.mlflow.failures import Refused

ANY_TEXT = st.text(max_size=300)


@given(ANY_TEXT)
def test_a_message_is_one_line_of_visible_characters(foreign: str) -> None:
    line = text.one_line(foreign, 50)
    assert len(line) <= 50
    assert not text.has_control_characters(line)
    assert line == line.strip()


def test_a_cut_message_ends_in_an_ellipsis() -> None:
    assert text.one_line("word " * 200, 20) == "word word word word…"


@pytest.mark.parametrize(
    "foreign",
    ["", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "../" + "a" * 29, "a" * 31 + "é", None, ["a" * 32]],
)
def test_what_is_not_a_run_id_is_refused(foreign: object) -> None:
    with pytest.raises(Refused) as refused:
        text.matching(text.RUN_ID, foreign, "a run id")
    assert refused.value.failure.reason == "InvalidResponse"


def test_a_run_id_passes() -> None:
    assert text.matching(text.RUN_ID, "0123456789abcdef" * 2, "a run id") == "0123456789abcdef" * 2


@pytest.mark.parametrize("version", ["0" * 19, "-1", "1.0", "", "1\n", "x", "١"])  # noqa: RUF001 - a foreign digit on purpose
def test_what_is_not_a_version_number_is_refused(version: str) -> None:
    with pytest.raises(Refused) as refused:
        text.checked(text.VERSION, version, "a version")
    assert (refused.value.failure.reason, refused.value.failure.is_transient) == ("NameInvalid", False)


@pytest.mark.parametrize(
    ("value", "literal"), [("plain", "'plain'"), ("it's", '"it\'s"'), ('"a"', "'\"a\"'"), ("a`b;--", "'a`b;--'")]
)
def test_a_filter_literal_uses_the_quotes_that_the_value_lacks(value: str, literal: str) -> None:
    assert text.quoted(value) == literal


@pytest.mark.parametrize("value", ["both ' and \"", "line\nbreak", "nul\0", "right\u202eleft"])
def test_a_value_that_no_filter_literal_can_hold_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="cannot be searched for"):
        text.quoted(value)


@given(ANY_TEXT)
def test_a_filter_literal_never_ends_before_its_value_does(value: str) -> None:
    try:
        literal = text.quoted(value)
    except Refused:
        return
    assert literal[0] == literal[-1]
    assert literal[0] not in literal[1:-1]


def test_a_long_value_says_that_it_was_cut() -> None:
    value = text.cut("x" * 9000, 8000)
    assert len(value) == 8000
    assert value.endswith("[cut by modelyard]")


def test_of_two_tags_with_one_key_the_later_counts() -> None:
    assert text.tags_within((("k", "1"), ("k", "2"), ("l" * 300, "3")), 10) == {"k": "2", "l" * 250: "3"}


def test_foreign_tags_come_sorted_and_without_what_is_not_text() -> None:
    pairs = [("b", "2\n2"), ("a", "1"), (3, "x"), ("c", None)]
    assert tuple(text.safe_pairs(pairs, 100)) == (("a", "1"), ("b", "2 2"))
