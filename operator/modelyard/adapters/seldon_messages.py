"""Requests in Seldon's own form, made of what MLflow logged as an example, and the answers to them."""

import json
from typing import Any


def request_of(example: str) -> str | None:
    """The example as one of Seldon's messages; None of what is no JSON."""
    try:
        return json.dumps(_message(json.loads(example)))
    except (ValueError, RecursionError):
        return None


def holds_predictions(answer: object) -> bool:
    """Whether a message carries anything."""
    return isinstance(answer, dict) and not {"data", "jsonData", "strData", "binData"}.isdisjoint(answer)


def names_version(metadata: object, version: str) -> bool:
    """Whether what a server tells of itself names this version."""
    versions = metadata.get("versions") if isinstance(metadata, dict) else None
    return isinstance(versions, list) and version in versions


def _message(example: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Rows in the form that every server of this protocol takes; all else goes as MLflow has it."""
    if isinstance(example, dict) and len(example) == 1:
        [(form, content)] = example.items()
        if form == "dataframe_split" and isinstance(content, dict) and isinstance(content.get("data"), list):
            return {"data": {"names": content.get("columns") or [], "ndarray": content["data"]}}
        if form in {"inputs", "instances"} and isinstance(content, list) and not any(map(_is_named, content)):
            return {"data": {"ndarray": content}}
    return {"jsonData": example}


def _is_named(item: object) -> bool:
    """Whether one of the inputs has parts with names, for which Seldon's rows have no place."""
    return isinstance(item, dict)
