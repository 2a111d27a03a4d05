"""Makes CustomResourceDefinitions from the kinds' models: structural schemas, small, with every rule in them."""

from collections.abc import Callable
from typing import Any

from modelyard.api.base import FORM, Kind, rule
from modelyard.api.names import CATEGORY, GROUP, VERSION

Schema = dict[str, Any]

_KEPT = frozenset(
    {
        "additionalProperties",
        "default",
        "description",
        "enum",
        FORM,
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
    }
)


def crd_of(kind: type[Kind]) -> Schema:
    """The CustomResourceDefinition of a kind."""
    singular = kind.kind_name.lower()
    subresources: Schema = {"status": {}}
    if kind.scale_paths:
        subresources["scale"] = dict(kind.scale_paths)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind_name,
                "listKind": f"{kind.kind_name}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": list(kind.short_names),
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": subresources,
                    "additionalPrinterColumns": [
                        column.model_dump(by_alias=True, exclude_defaults=True) | {"type": column.type}
                        for column in kind.columns
                    ],
                    **(
                        {"selectableFields": [{"jsonPath": path} for path in kind.selectable]}
                        if kind.selectable
                        else {}
                    ),
                    "schema": {"openAPIV3Schema": schema_of(kind)},
                }
            ],
        },
    }


def schema_of(kind: type[Kind]) -> Schema:
    """The structural OpenAPI schema of a kind, references resolved."""
    document = kind.model_json_schema(by_alias=True, mode="validation")
    definitions = document.get("$defs", {})
    spec = _changed(_structural(document["properties"]["spec"], definitions), _in_words)
    # Nobody reads what is said of a status: patterns cost the API server less.
    status = _changed(_structural(document["properties"]["status"], definitions), _without_words)
    text = {"type": "string"}
    return {
        "type": "object",
        "description": document["description"],
        "required": ["spec"],
        "x-kubernetes-validations": [dict(item) for item in kind.rules],
        "properties": {
            "apiVersion": text,
            "kind": text,
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


def _structural(node: Schema, definitions: Schema) -> Schema:
    """One schema node without references, titles and nulls.

    Raises:
        ValueError: a union that a structural schema cannot say.
    """
    node = _resolved(node, definitions)
    if node.get("x-kubernetes-int-or-string"):
        kept = {name: node[name] for name in ("maxLength", "pattern", FORM) if name in node}
        union = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
        return union | kept
    if node.get("x-kubernetes-preserve-unknown-fields"):
        kept = {key: node[key] for key in ("description", "x-kubernetes-preserve-unknown-fields") if key in node}
        return {"type": "object"} | kept
    out = {key: value for key, value in node.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    if "properties" in out:
        out["properties"] = {name: _structural(child, definitions) for name, child in out["properties"].items()}
        out.pop("additionalProperties", None)
    elif isinstance(out.get("additionalProperties"), dict):
        out["additionalProperties"] = _structural(out["additionalProperties"], definitions)
    if "items" in out:
        out["items"] = _structural(out["items"], definitions)
    if "default" in out:
        out["default"] = _without_nulls(out["default"])
        if out["default"] in (None, {}):
            del out["default"]
    if "type" not in out:
        raise ValueError(f"no structural schema for {node}")
    return out


def _in_words(node: Schema) -> Schema:
    """A node with a rule in place of a pattern that is told in words: the API server would show the pattern."""
    if FORM not in node:
        return node
    kept = {key: value for key, value in node.items() if key not in {FORM, "pattern"}}
    text = "(type(self) == string ? self : '0')" if "anyOf" in node else "self"
    said = rule(f'{text}.matches(r"""{node["pattern"]}""")', node[FORM])
    return kept | {"x-kubernetes-validations": [said, *node.get("x-kubernetes-validations", [])]}


def _without_words(node: Schema) -> Schema:
    """A node whose pattern is left as it is."""
    return {key: value for key, value in node.items() if key != FORM}


def _changed(node: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A schema with every node of it changed."""
    out = change(node)
    if "properties" in out:
        out["properties"] = {name: _changed(child, change) for name, child in out["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(out.get(key), dict):
            out[key] = _changed(out[key], change)
    return out


def _without_nulls(default: Any) -> Any:  # noqa: ANN401 - any JSON
    """A default as the API server takes it: what is not set is left out."""
    if not isinstance(default, dict):
        return default
    return {name: _without_nulls(value) for name, value in default.items() if value is not None}


def _resolved(node: Schema, definitions: Schema) -> Schema:
    """The node itself: what it refers to or the one non-null choice, under its own keys."""
    while True:
        if "$ref" in node:
            target = definitions[node["$ref"].rsplit("/", 1)[-1]]
            node = target | {key: value for key, value in node.items() if key != "$ref"}
        elif "anyOf" in node and not node.get("x-kubernetes-int-or-string"):
            choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
            if len(choices) != 1:
                raise ValueError(f"a structural schema has no unions: {node}")
            extras = {key: value for key, value in node.items() if key != "anyOf"}
            node = choices[0] | extras
        else:
            return node
