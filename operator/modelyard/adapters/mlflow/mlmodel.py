"""An MLmodel file as a model card. Whoever logged the model wrote it: nothing in it is believed or followed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelyard.adapters.mlflow.text import one_line
from modelyard.core.model_card import Column, ModelCard, Pins, Signature

_DEEPEST = 40
"""Nesting of an MLmodel; MLflow's own have 5. libyaml's composer recurses in C and would take the process with it."""
_MOST_COLUMNS = 20_000
_MOST_REQUIREMENTS = 1_000
_WORD = 120
_TYPE = 400
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){0,3}[\w.+-]{0,40}")
EXAMPLE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,120}(/[A-Za-z0-9_][A-Za-z0-9_. -]{0,120}){0,4}")
_PICKLE_FILE = re.compile(r".*\.(pkl|pickle|joblib)", re.IGNORECASE)
_PICKLE_FORMATS = frozenset({"pickle", "cloudpickle", "joblib", "dill"})
_TYPED = ("items", "properties", "values", "tensor-spec", "type")
"""What describes the type of a column; all else may change without any client noticing."""


class UnreadableError(Exception):
    """The file is not what MLflow writes; says what is wrong with it."""


def card_of(mlmodel: str, requirements: str | None, python_env: str | None) -> ModelCard:
    """The card that these files make.

    Raises:
        UnreadableError: the MLmodel is none.
    """
    found = _parsed(mlmodel)
    if not isinstance(found.get("flavors"), dict):
        raise UnreadableError("it names no flavors")
    flavours = _map(found["flavors"])
    pyfunc = _map(flavours.get("python_function"))
    python = _version(pyfunc.get("python_version")) or _version(_python_of(python_env))
    return ModelCard(
        flavours=tuple(sorted(one_line(name, _WORD) for name in flavours if name != "python_function")),
        loader=_text(pyfunc.get("loader_module")) if "python_function" in flavours else None,
        python=python,
        mlflow=_version(found.get("mlflow_version")),
        is_pickled=any(_holds_pickles(_map(flavour)) for flavour in flavours.values()),
        requirements=pins_of(requirements or ""),
        signature=signature_of(found.get("signature")),
        example=_example(_map(found.get("saved_input_example_info"))),
    )


def pins_of(text: str) -> Pins:
    """The libraries that a requirements.txt names; lines that are options, paths or addresses are left out."""
    found = {}
    for line in text.splitlines()[:_MOST_REQUIREMENTS]:
        try:
            wanted = Requirement(line.partition("#")[0].strip()[:1000])
        except InvalidRequirement:
            continue
        pins = [part.version for part in wanted.specifier if part.operator in {"==", "==="}]
        found[canonicalize_name(wanted.name)[:_WORD]] = (_version(pins[0]) or "") if len(pins) == 1 else ""
    return tuple(sorted(found.items()))


def signature_of(given: object) -> Signature | None:
    """The signature, or None where there is none.

    Raises:
        UnreadableError: it is not what MLflow writes.
    """
    sides = _map(given)
    if not _text(sides.get("inputs")) and not _text(sides.get("outputs")):
        return None
    return Signature(*(tuple(_columns(sides.get(side), side)) for side in ("inputs", "outputs")))


def _columns(given: object, side: str) -> Iterator[Column]:
    """The columns of one side, which MLflow keeps as JSON in a text."""
    if not isinstance(given, str) or given in {"", "null"}:
        return
    try:
        items = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"signature.{side} is not JSON") from error
    if not isinstance(items, list) or len(items) > _MOST_COLUMNS:
        raise UnreadableError(f"signature.{side} is not a list of at most {_MOST_COLUMNS} columns")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise UnreadableError(f"signature.{side} holds an item without a type")
        name = item.get("name")
        yield Column(
            name=one_line(name, _WORD) if isinstance(name, str) else "",
            type=_type(item),
            is_required=item.get("required", not item.get("optional", False)) is not False,
        )


def _type(item: dict[str, Any]) -> str:
    """A plain type as its word, any other as what describes it."""
    described = {key: item[key] for key in _TYPED if key in item}
    if set(described) == {"type"}:
        return one_line(item["type"], _TYPE)
    try:
        return one_line(json.dumps(described, sort_keys=True), _TYPE)
    except RecursionError as error:
        raise UnreadableError("signature describes a type that is nested too deep") from error


def _parsed(text: str) -> dict[str, Any]:
    """The file's mappings, every scalar as text: nothing is merged, computed, or made of a tag."""
    try:
        _refuse_depth(text)
        found = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - it constructs text, lists and maps only
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise UnreadableError("it is not YAML") from error
    if not isinstance(found, dict):
        raise UnreadableError("it is not a YAML mapping")
    return found


def _refuse_depth(text: str) -> None:
    """Events come one by one, however deep the document is.

    Raises:
        UnreadableError: deeper than MLflow ever writes.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise UnreadableError("it is nested deeper than MLflow writes")


def _python_of(python_env: str | None) -> object:
    """The Python of a python_env.yaml, which only older models need to be asked for."""
    try:
        return _parsed(python_env).get("python") if python_env else None
    except UnreadableError:
        return None


def _holds_pickles(flavour: dict[str, Any]) -> bool:
    """Whether one flavour keeps the model as a pickle; where it says how, that counts, else the file's name."""
    told = flavour.get("serialization_format")
    if isinstance(told, str):
        return told.lower() in _PICKLE_FORMATS
    files = [flavour.get(key) for key in ("python_model", "pickled_model", "model_path", "data")]
    return any(isinstance(file, str) and _PICKLE_FILE.fullmatch(file) for file in files)


def _example(info: dict[str, Any]) -> str | None:
    """The path of the request that MLflow made of the logged input example."""
    path = info.get("serving_input_path")
    return path if isinstance(path, str) and EXAMPLE_PATH.fullmatch(path) else None


def _map(value: object) -> dict[str, Any]:
    """A mapping with names as its keys, or an empty one."""
    return {key: item for key, item in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """A scalar, or None where it is none or says null."""
    return one_line(value, _WORD) if isinstance(value, str) and value not in {"", "null", "~"} else None


def _version(value: object) -> str | None:
    """A version's number, or None for what is none."""
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else None
