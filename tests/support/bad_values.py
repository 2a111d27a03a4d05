"""Every way to get a field of a schema wrong that the schema itself tells of."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
Spec = dict[str, Any]

MISSING = object()
"""In place of a value: the field is not there."""
_FORM = re.compile(r'.*[.]matches[(]r"""(?P<pattern>.*)"""[)]')
_ODD_TEXTS = ("\u0001", "a b", "-", "%", "A/b:c", "not-a-number", "", "0")


@dataclass(frozen=True)
class Bad:
    """One wrong value."""

    path: str
    """The field, with [] for every list."""
    why: str
    value: Any
    named: str
    """What the refusal has to hold: the field as the API server writes it."""


def fields_of(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field of a schema with its path; keys of free maps are none."""
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        yield below, child
        yield from fields_of(child, below)
        if "items" in child:
            yield f"{below}[]", child["items"]
            yield from fields_of(child["items"], f"{below}[]")


def rules_of(schema: Schema) -> Iterator[dict[str, str]]:
    """Every rule of a schema."""
    yield from schema.get("x-kubernetes-validations", [])
    for child in schema.get("properties", {}).values():
        yield from rules_of(child)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from rules_of(schema[key])


def holds(spec: Any, path: str) -> bool:
    """Whether a spec has a value at a path."""
    try:
        _walk(spec, path)
    except (KeyError, IndexError):
        return False
    return True


def value_at(spec: Spec, path: str) -> Any:
    """The value of a field, of the first item where there are several that have it."""
    holder, key = _walk(spec, path)
    return holder[key]


def with_value(spec: Spec, path: str, value: Any) -> Spec:
    """A copy with another value at a path."""
    changed = json.loads(json.dumps(spec))  # what two fields of a sample share is two values in its copy
    if path.isalnum() and value is not MISSING:
        return changed | {path: value}
    *above, last = path.rsplit(".", 1) if not path.endswith("[]") else [path]
    if above and value is not MISSING and not holds(changed, path):
        holder, key = _walk(changed, above[0])
        holder[key] = holder[key] | {last: value}
        return changed
    holder, key = _walk(changed, path)
    if value is MISSING:
        del holder[key]
    else:
        holder[key] = value
    return changed


def bad_values(schema: Schema, sample: Spec) -> Iterator[Bad]:
    """What is wrong of each field that the sample has."""
    for path, node in fields_of(schema):
        if holds(sample, path):
            yield from _of_field(path, node, value_at(sample, path), named_in(sample, path))


def named_in(sample: Spec, path: str) -> str:
    """The field as the API server names it: with the number of the item that has it."""
    return "spec." + _numbered(sample, path)


def _of_field(path: str, node: Schema, good: Any, named: str) -> Iterator[Bad]:
    yield Bad(path, "another type", 7.5 if node.get("type") != "number" else "x", named)
    yield from _of_text(path, node, named)
    if node.get("additionalProperties", {}).get("x-kubernetes-int-or-string"):
        yield Bad(path, "no quantity", {"memory": "much"}, f"{named}[memory]: Invalid value")
    if "minimum" in node:
        yield Bad(path, "too small", node["minimum"] - 1, named)
    if "maximum" in node:
        yield Bad(path, "too large", node["maximum"] + 1, named)
    if "maxItems" in node:
        yield Bad(path, "too many", [_renamed(good[0], node, n) for n in range(node["maxItems"] + 1)], named)
    if node.get("x-kubernetes-list-type") in {"map", "set"}:
        yield Bad(path, "twice the same", [good[0], good[0]], f"{named}[1]: Duplicate value")
    if "properties" in node:
        yield Bad(path, "an unknown field", good | {"nosuchfield": 1}, f'unknown field "{named}.nosuchfield"')
        for name in node.get("required", []):
            without = {key: value for key, value in good.items() if key != name}
            yield Bad(path, f"no {name}", without, f"{named}.{name}: Required value")


def _of_text(path: str, node: Schema, named: str) -> Iterator[Bad]:
    if node.get("type") != "string":
        return
    if "enum" in node:
        yield Bad(path, "not one of the choices", "Other", f"{named}: Unsupported value")
    if "maxLength" in node:
        yield Bad(path, "too long", "a" * (node["maxLength"] + 1), named)
    if node.get("minLength"):
        yield Bad(path, "empty", "", named)
    if pattern := _pattern_of(node):
        odd = next(text for text in _ODD_TEXTS if not re.search(pattern, text))
        yield Bad(path, "not of the form", odd, named)


def is_form(rule: dict[str, str]) -> bool:
    """Whether the rule is a pattern that is told in words."""
    return _FORM.fullmatch(rule["rule"]) is not None


def with_patterns(schema: Any) -> Any:
    """The schema with the patterns of such rules as patterns, for validators that know no CEL."""
    if isinstance(schema, list):
        return [with_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = isinstance(schema.get("x-kubernetes-validations"), list) and _pattern_of(schema)
    return {key: with_patterns(value) for key, value in schema.items()} | ({"pattern": told} if told else {})


def _pattern_of(node: Schema) -> str | None:
    told = (_FORM.fullmatch(rule["rule"]) for rule in node.get("x-kubernetes-validations", []))
    return node.get("pattern") or next((found["pattern"] for found in told if found), None)


def _renamed(item: Any, node: Schema, number: int) -> Any:
    """An item that differs from the others of its list."""
    keys = node.get("x-kubernetes-list-map-keys", [])
    if isinstance(item, dict):
        return item | {key: f"{item[key]}{number}" for key in keys}
    return number + 1 if isinstance(item, int) else f"{item}{number}"


def _walk(spec: Any, path: str) -> tuple[Any, Any]:
    """What holds the value of a path, and its key there."""
    holder, key = None, None
    for part in _numbered(spec, path).replace("[", ".[").split("."):
        holder = spec if key is None else holder[key]
        key = int(part[1:-1]) if part.startswith("[") else part
        holder[key]
    return holder, key


def _numbered(spec: Any, path: str) -> str:
    """The path with the number of the first item that has the rest of it."""
    head, bracket, rest = path.partition("[]")
    if not bracket:
        return path
    items = spec
    for name in head.split("."):
        items = items[name]
    rest = rest.removeprefix(".")
    number = next((n for n, item in enumerate(items) if not rest or holds(item, rest)), len(items))
    if number == len(items):
        raise KeyError(path)
    return f"{head}[{number}]" + (f".{_numbered(items[number], rest)}" if rest else "")
