"""`kubectl explain` says of every field what its model says, which tests/unit/test_docs.py holds the pages to."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api.base import Kind
from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS
from tools.localcluster.controlplane import ControlPlane

pytestmark = pytest.mark.api

Schema = dict[str, Any]
OF_BOTH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind_name)


def holders(schema: Schema, path: str) -> Iterator[tuple[str, dict[str, Schema]]]:
    """Every part of a schema that has fields, with its fields; items of a list are written as the list is."""
    fields = schema.get("items", schema).get("properties", {})
    if fields:
        yield path, fields
    for name, child in fields.items():
        yield from holders(child, f"{path}.{name}")


def in_words(text: str) -> str:
    """The text without its line ends, which are kubectl's."""
    return " ".join(text.split())


@OF_BOTH
def test_every_field_is_explained_in_the_words_of_its_model(control_plane: ControlPlane, kind: type[Kind]) -> None:
    def explain(path: str) -> str:
        command = [control_plane.kubectl, "--kubeconfig", control_plane.kubeconfig, "explain", path]
        return in_words(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    schema, explained = schema_of(kind), 0
    assert schema["description"] in explain(kind.kind_name.lower())
    for part in ("spec", "status"):
        for path, fields in holders(schema["properties"][part], f"{kind.plural}.{part}"):
            said = explain(path)
            for name, field in fields.items():
                assert f" {name} <" in said, f"{path}.{name}"
                assert in_words(field["description"]) in said, f"{path}.{name}"
                explained += 1
    print(f"{explained} fields of {kind.kind_name} are explained")
    assert explained > 10


@OF_BOTH
def test_a_short_name_and_a_required_field_are_explained_too(control_plane: ControlPlane, kind: type[Kind]) -> None:
    command = [
        control_plane.kubectl,
        "--kubeconfig",
        control_plane.kubeconfig,
        "explain",
        f"{kind.short_names[0]}.spec",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"KIND:       {kind.kind_name}" in said
    assert "-required-" in said
