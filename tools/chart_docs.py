"""Writes the chart's values.schema.json and README.md from the comments of its values.yaml.

`--check` writes nothing and fails where a file differs. Run it as `python -m tools.chart_docs`.
A comment stands directly above its value, at the same depth:

    # -- What the value is for, in Markdown.      goes into both; more lines may follow; every leaf value needs it
    # @enum a, b                                  the values that are allowed
    # @type number                                the type, where the default does not show it
    # @pattern ^…$                                what a text has to match
    # @minimum 1, @maximum 9, @minLength 1, …     any other keyword of JSON Schema that takes a number
    # @items {"type": "string"}                   the schema of a list's items; every list needs it
    # @uniqueItems                                no item twice
    # @free                                       a map with any keys; every other map refuses unknown ones

A line `# @section Title` begins a section of the README's table, wherever it stands.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parent.parent / "charts" / "modelyard"
PLACE = "<!-- values -->"
SECTION = "# @section "
DIALECT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]


class CommentError(Exception):
    """A comment in values.yaml that cannot be understood; says which value and why."""


@dataclass(frozen=True)
class Value:
    """One key of values.yaml."""

    path: str
    """Its keys, with dots between."""
    node: yaml.Node
    section: str = ""
    description: str = ""
    keywords: Schema = field(default_factory=dict)
    """What the comment adds to its schema."""

    @property
    def default(self) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Its value."""
        return yaml.SafeLoader("").construct_object(self.node, deep=True)

    @property
    def is_group(self) -> bool:
        """Whether it is a map of further values with comments of their own."""
        return isinstance(self.node, yaml.MappingNode) and not self.keywords.get("additionalProperties", False)

    def children(self, lines: list[str]) -> Iterator["Value"]:
        """The values in it."""
        for key, node in self.node.value:
            path = f"{self.path}.{key.value}" if self.path else str(key.value)
            section = section_above(lines, key.start_mark)
            yield read_value(Value(path, node, section), comment_above(lines, key.start_mark))


def comment_above(lines: list[str], mark: yaml.Mark) -> list[str]:
    """The lines of the comment that stands directly above a key at the key's depth, without their `#`."""
    prefix = " " * mark.column + "#"
    above = itertools.takewhile(lambda line: line.startswith(prefix), reversed(lines[: mark.line]))
    return [line.removeprefix(prefix).removeprefix(" ") for line in above][::-1]


def section_above(lines: list[str], mark: yaml.Mark) -> str:
    """The title of the section that a key stands in."""
    titles = (line.removeprefix(SECTION) for line in reversed(lines[: mark.line]) if line.startswith(SECTION))
    return next(titles, "Values")


def read_value(value: Value, comment: list[str]) -> Value:
    """A value with what its comment says."""
    words: list[str] = []
    keywords: Schema = {}
    for line in comment:
        if line.startswith("@"):
            keywords |= keyword(value.path, line[1:])
        elif line.startswith("--") or words:
            words.append(line.removeprefix("--").strip())
    return replace(value, description=" ".join(words), keywords=keywords)


def keyword(path: str, text: str) -> Schema:
    """One `@…` line as schema.

    Raises:
        CommentError: it is none of those that the module's docstring lists.
    """
    name, _, argument = text.partition(" ")
    argument = argument.strip()
    match name:
        case "enum":
            return {"enum": [word.strip() for word in argument.split(",")]}
        case "type" | "pattern":
            return {name: argument}
        case "free":
            return {"type": "object", "additionalProperties": True}
        case "uniqueItems":
            return {"uniqueItems": True}
        case "items":
            return {"items": json.loads(argument)}
        case "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            return {name: int(argument)}
    raise CommentError(f"{path}: values.yaml has a comment with @{name}, which tools/chart_docs.py does not know")


def schema_of(value: Value, lines: list[str]) -> Schema:
    """The JSON schema of a value.

    Raises:
        CommentError: a value lacks a comment that it needs.
    """
    if value.is_group:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {child.path.rpartition(".")[2]: schema_of(child, lines) for child in value.children(lines)},
        }
    if not value.description:
        raise CommentError(f"{value.path}: values.yaml has no comment `# -- …` above it")
    kind = type_of(value)
    if kind == "array" and "items" not in value.keywords:
        raise CommentError(f"{value.path}: values.yaml says nothing about the list's items; add `# @items {{…}}`")
    return {"type": kind} | value.keywords | {"description": value.description, "default": value.default}


def type_of(value: Value) -> str:
    """The type that a default shows."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    kind = kinds.get(type(value.default))
    if kind is None:
        raise CommentError(f"{value.path}: values.yaml has no default; give one, an empty one if need be")
    return kind


def table_of(root: Value, lines: list[str]) -> str:
    """The README's tables, one for each section."""
    sections = itertools.groupby(leaves(root, lines), key=lambda value: value.section)
    return "\n\n".join(
        "\n".join([f"### {title}", "", "| value | default | |", "| --- | --- | --- |", *map(row_of, values)])
        for title, values in sections
    )


def leaves(value: Value, lines: list[str]) -> Iterator[Value]:
    """The values below it that are no groups, or itself."""
    if not value.is_group:
        yield value
        return
    for child in value.children(lines):
        yield from leaves(child, lines)


def row_of(value: Value) -> str:
    """A value's row; a vertical bar would end its column."""
    choices = value.keywords.get("enum")
    allowed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    default = json.dumps(value.default)
    return (
        "| "
        + " | ".join(
            part.replace("|", "\\|") for part in (f"`{value.path}`", f"`{default}`", value.description + allowed)
        )
        + " |"
    )


def generated_files(chart: Path) -> dict[Path, str]:
    """The generated files' paths and contents."""
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise CommentError("values.yaml is not a map")
    root = Value("", node)
    schema: Schema = {"$schema": DIALECT, "title": "Values of the chart modelyard"} | schema_of(root, lines)
    # Helm hands a parent chart's `global` to every chart below it.
    schema["properties"]["global"] = {"type": "object", "description": "Values of a parent chart; not used here."}
    template = (chart / "README.template.md").read_text(encoding="utf-8")
    return {
        chart / "values.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
        chart / "README.md": template.replace(PLACE, table_of(root, lines)),
    }


def main(arguments: list[str] | None = None, chart: Path = CHART) -> int:
    """Write or check; the exit code says whether all is as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    is_check = parser.parse_args(arguments).check
    try:
        files = generated_files(chart)
    except CommentError as error:
        print(error, file=sys.stderr)
        return 1
    stale = {path: text for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if is_check:
            print(f"{path.relative_to(chart)} is not what `python -m tools.chart_docs` makes: run it and commit")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(chart)}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
