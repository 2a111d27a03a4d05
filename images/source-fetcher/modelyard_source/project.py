"""The command of an MLproject file's entry point, with parameters of the types that the file asks for.

As `mlflow run --env-manager local` would make it, with two differences: types are checked before anything runs, and a
value is never put where the shell would read it as more than a word. Environments that the file names are not made: the
code runs in the trainer's image.
"""

import json
import posixpath
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modelyard_source.errors import ProjectError
from modelyard_source.shell import filled_in

_MOST_BYTES = 1 << 20
_ENTRY_POINT_FIELD = "spec.mlproject.entryPoint"


@dataclass(frozen=True)
class Parameter:
    """One parameter of an entry point."""

    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class EntryPoint:
    """One entry point of an MLproject file."""

    name: str
    command: str
    parameters: tuple[Parameter, ...]

    def command_with(self, given: Mapping[str, str], folder: Path, runs_in: str) -> str:
        """The command to run in the trainer, whose path for `folder` is `runs_in`."""
        values = {
            item.name: _checked(item, _value(item, given, self.name), folder, runs_in) for item in self.parameters
        }
        return filled_in(self.command, values, {name: value for name, value in given.items() if name not in values})

    def defaults(self, given: Mapping[str, str]) -> dict[str, str]:
        """The values that are the file's, because nobody gave others."""
        return {
            item.name: item.default for item in self.parameters if item.default is not None and item.name not in given
        }


def read_entry_point(folder: Path, name: str) -> EntryPoint:
    """The entry point of this name."""
    entry = _entry(_read(folder), name)
    command = entry.get("command")
    if not isinstance(command, str) or not command.strip():
        raise ProjectError(f"MLproject: the entry point {name} has no command")
    parameters = _mapping(entry.get("parameters"), "parameters")
    return EntryPoint(name, command, tuple(_parameter(key, said) for key, said in parameters.items()))


def read_parameters(file: Path) -> dict[str, str]:
    """The TrainingJob's parameters, as its pod finds them."""
    found: dict[str, str] = json.loads(file.read_text("utf-8"))
    return found


def _read(folder: Path) -> dict[str, Any]:
    """The MLproject file, whatever the case of its name, as in MLflow."""
    file = next((path for path in sorted(folder.iterdir()) if path.name.lower() == "mlproject"), None)
    if file is None or not file.is_file():
        raise ProjectError(
            "spec.mlproject: the source has no file MLproject where the trainer runs: add it, or mend the path"
        )
    if file.stat().st_size > _MOST_BYTES:
        raise ProjectError(f"MLproject: the file has more than {_MOST_BYTES} bytes")
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(f"MLproject: the file is not YAML: {error}") from error
    return _mapping(content, "the file")


def _entry(project: Mapping[str, Any], name: str) -> dict[str, Any]:
    points = _mapping(project.get("entry_points"), "entry_points")
    if name not in points:
        known = ", ".join(sorted(map(str, points))) or "none"
        raise ProjectError(f"{_ENTRY_POINT_FIELD}: the MLproject file has no entry point {name}; it has: {known}")
    return _mapping(points[name], f"entry point {name}")


def _mapping(value: object, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProjectError(f"MLproject: {what} must be a mapping")
    return {str(key): item for key, item in value.items()}


def _parameter(name: str, said: object) -> Parameter:
    """A type alone, or a mapping with type and default."""
    if isinstance(said, str):
        return Parameter(name, said, None)
    fields = _mapping(said, f"parameter {name}")
    default = fields.get("default")
    return Parameter(name, str(fields.get("type", "string")), None if default is None else str(default))


def _value(parameter: Parameter, given: Mapping[str, str], entry_point: str) -> str:
    value = given.get(parameter.name, parameter.default)
    if value is None:
        raise ProjectError(
            f"spec.parameters: the MLproject's entry point {entry_point} needs {parameter.name} "
            f"({parameter.type}): add it"
        )
    return value


def _checked(parameter: Parameter, value: str, folder: Path, runs_in: str) -> str:
    """The value, if it is of the type that the MLproject file asks for."""
    shown = f"spec.parameters: {parameter.name} is {value[:100]!r}, but the MLproject file wants"
    if parameter.type == "path":
        return _path(value, folder, runs_in, shown)
    if parameter.type == "uri" and not urllib.parse.urlsplit(value).scheme:
        raise ProjectError(f"{shown} a URI: write one with a scheme, such as s3://…")
    if parameter.type in ("float", "int"):
        _number(parameter.type, value, shown)
    return value


def _number(kind: str, value: str, shown: str) -> None:
    """MLflow promises to check float and does not; files say int as well, which it lets pass."""
    try:
        (float if kind == "float" else int)(value)
    except ValueError as error:
        raise ProjectError(f"{shown} a {'number' if kind == 'float' else 'whole number'} ({kind})") from error
    if "_" in value or value != value.strip():
        raise ProjectError(f"{shown} a number ({kind}) without _ and spaces")


def _path(value: str, folder: Path, runs_in: str, shown: str) -> str:
    """Absolute paths lie in the trainer's volumes, which are not seen here; others are files of the source."""
    if "://" in value:
        raise ProjectError(f"{shown} a path: nothing is downloaded; let spec.prepare do that, and name its file")
    if value.startswith("/"):
        return value
    if not (folder / value).exists():
        raise ProjectError(f"{shown} a path, and the source has no such file: correct it, or make it absolute")
    return posixpath.normpath(posixpath.join(runs_in, value))
