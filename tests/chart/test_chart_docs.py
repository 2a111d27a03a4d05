"""The generator of the values' schema and table."""

import json
from pathlib import Path

import pytest

from tools import chart_docs

TEMPLATE = "before\n<!-- values -->\nafter\n"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "README.template.md").write_text(TEMPLATE)
    return tmp_path


def generate(chart: Path, values: str) -> dict[str, object]:
    (chart / "values.yaml").write_text(values)
    assert chart_docs.main([], chart) == 0
    return dict(json.loads((chart / "values.schema.json").read_text()))


def test_a_comment_becomes_description_type_and_keywords(chart: Path) -> None:
    made = generate(chart, "# -- How many\n# there are.\n# @minimum 1\ncount: 2\n")
    assert made["properties"]["count"] == {  # type: ignore[index]
        "type": "integer",
        "minimum": 1,
        "description": "How many there are.",
        "default": 2,
    }


def test_a_map_refuses_unknown_keys_unless_it_is_free(chart: Path) -> None:
    made = generate(chart, "group:\n  # -- Any.\n  # @free\n  labels: {}\n")
    group = made["properties"]["group"]  # type: ignore[index]
    assert made["additionalProperties"] is False
    assert group["additionalProperties"] is False
    assert group["properties"]["labels"]["additionalProperties"] is True


def test_the_table_has_a_part_for_each_section(chart: Path) -> None:
    generate(chart, "# @section One\n\n# -- First.\na: 1\n\n# @section Two\n\n# -- Yes | no.\n# @enum x, y\nb: x\n")
    assert (chart / "README.md").read_text() == (
        "before\n"
        "### One\n\n| value | default | |\n| --- | --- | --- |\n| `a` | `1` | First. |\n\n"
        '### Two\n\n| value | default | |\n| --- | --- | --- |\n| `b` | `"x"` | Yes \\| no. One of `x`, `y`. |\n'
        "after\n"
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ("a: 1\n", "a: values.yaml has no comment"),
        ("# -- A.\n# @maxsize 3\na: 1\n", "a: values.yaml has a comment with @maxsize"),
        ("g:\n  # -- A.\n  a: []\n", "g.a: values.yaml says nothing about the list's items"),
        ("# -- A.\na:\n", "a: values.yaml has no default"),
    ],
)
def test_a_value_that_says_too_little_is_refused(
    chart: Path, capsys: pytest.CaptureFixture[str], values: str, problem: str
) -> None:
    (chart / "values.yaml").write_text(values)
    assert chart_docs.main([], chart) == 1
    assert problem in capsys.readouterr().err


def test_a_difference_fails_the_check_and_is_left_alone(chart: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(chart, "# -- A.\na: 1\n")
    (chart / "README.md").write_text("edited")
    assert chart_docs.main(["--check"], chart) == 1
    assert "README.md is not what" in capsys.readouterr().out
    assert (chart / "README.md").read_text() == "edited"
