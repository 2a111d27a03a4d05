"""What a registered version consists of, and whether it is whole."""

import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard_fetch.errors import FetchError
from modelyard_fetch.server import Answer, Server, lacks_workspace, read_json, refused

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
DOWNLOAD_URI = "/api/2.0/mlflow/model-versions/get-download-uri"
MODEL_FILE = "MLmodel"
MAX_FILES = 100_000
MAX_DEPTH = 32
MAX_NAME_BYTES = 255
MAX_MODEL_FILE_BYTES = 64 << 20
# Separators, control characters, and the half characters that JSON can smuggle in.
ODD_CHARACTERS = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class RemoteFile:
    """A file of the model: its path below the model's folder and its size, where the server told one."""

    path: str
    size_bytes: int | None


def find_artifacts(server: Server, name: str, version: str) -> str:
    """The path of the version's files in MLflow's artifact service."""
    found = server.get(DOWNLOAD_URI, {"name": name, "version": version}, read_json)
    if isinstance(found, Answer):
        if lacks_workspace(found):
            message = f"MLflow at {server.base} has no workspace of this namespace: {found.text}"
            raise FetchError("WorkspaceNotFound", message)
        if found.code == 404 or (found.code == 400 and "INVALID_PARAMETER_VALUE" in found.text):
            raise FetchError("ModelNotFound", f"MLflow has no version {version} of model {name}: {found.text}")
        raise refused(server.base, found)
    uri = found.get("artifact_uri") if isinstance(found, dict) else None
    return artifact_path(str(uri or ""), server.base)


def artifact_path(uri: str, base: str) -> str:
    """The path in an mlflow-artifacts URI; errors name other stores and the way out."""
    try:
        parts = urllib.parse.urlsplit(uri)
    except ValueError as error:
        raise FetchError("ModelIncomplete", f"the version's address {uri!r} is not one: {error}") from error
    if parts.scheme != "mlflow-artifacts":
        cure = "run `mlflow server --serve-artifacts --artifacts-destination ...` and log the model again"
        raise FetchError(
            "UnsupportedArtifactStore", f"the model's files lie in {uri!r}, which pods do not read: {cure}"
        )
    # Another host would be given our credentials.
    if parts.netloc and parts.hostname != urllib.parse.urlsplit(base).hostname:
        raise FetchError("UnsupportedArtifactStore", f"the model's files lie on another server, {uri!r}, not on {base}")
    segments = [check_name(segment) for segment in parts.path.split("/") if segment]
    if not segments:
        raise FetchError("ModelIncomplete", f"the version names no folder of files: {uri!r}")
    return "/".join(segments)


def check_name(name: object) -> str:
    """A file's or folder's plain name; ModelIncomplete for one that could lead elsewhere."""
    if not isinstance(name, str) or name in ("", ".", "..") or ODD_CHARACTERS.search(name):
        raise FetchError(
            "ModelIncomplete", f"the model has a file named {name!r}, which is not fetched: log it without"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise FetchError("ModelIncomplete", f"the model has a file whose name is over {MAX_NAME_BYTES} bytes: {name}")
    return name


def list_model(server: Server, root: str, what: str) -> list[RemoteFile]:
    """The model's files; raises where there are none, too many, or no MLmodel among them."""
    files: list[RemoteFile] = []
    for file in list_files(server, root):
        files.append(file)
        if len(files) > MAX_FILES:
            raise FetchError("ModelIncomplete", f"{what} has more than {MAX_FILES} files")
    if not files:
        raise FetchError("ModelIncomplete", f"{what} has no files in MLflow below {root}: log the model again")
    if not any(file.path == MODEL_FILE for file in files):
        raise FetchError(
            "ModelIncomplete", f"{what} has no file {MODEL_FILE} in MLflow below {root}: log it as a model"
        )
    return files


def list_files(server: Server, root: str, folder: str = "", depth: int = 0) -> Iterator[RemoteFile]:
    """All files below the model's folder."""
    if depth > MAX_DEPTH:
        raise FetchError("ModelIncomplete", f"the model's folders are nested more than {MAX_DEPTH} deep")
    listed = server.get(ARTIFACTS, {"path": f"{root}/{folder}".rstrip("/")}, read_json)
    if isinstance(listed, Answer):
        if listed.code == 404 and "RESOURCE_DOES_NOT_EXIST" in listed.text:
            return
        raise refused(server.base, listed)
    for entry in entries(listed):
        path = f"{folder}/{check_name(entry.get('path'))}".lstrip("/")
        if entry.get("is_dir"):
            yield from list_files(server, root, path, depth + 1)
        else:
            yield RemoteFile(path, size_of(entry))


def entries(listed: object) -> list[dict[str, Any]]:
    """The listing's entries, where it has the shape of one."""
    files = listed.get("files", []) if isinstance(listed, dict) else None
    if not isinstance(files, list) or not all(isinstance(entry, dict) for entry in files):
        raise FetchError("ModelIncomplete", "MLflow's listing of the model's files is not understood")
    return files


def size_of(entry: dict[str, Any]) -> int | None:
    """The listed size in bytes; some stores tell none."""
    size = str(entry.get("file_size", ""))
    return int(size) if size.isascii() and size.isdecimal() else None


def check_flavour(model_file: Path, what: str) -> None:
    """Raises WrongFlavour unless the MLmodel file has the flavour that every model server loads."""
    if model_file.stat().st_size > MAX_MODEL_FILE_BYTES:
        raise FetchError("ModelIncomplete", f"{what}: {MODEL_FILE} has more than {MAX_MODEL_FILE_BYTES} bytes")
    flavours = flavours_of(model_file.read_text("utf-8", "replace"))
    if not flavours:
        raise FetchError("ModelIncomplete", f"{what}: {MODEL_FILE} names no flavours")
    if "python_function" not in flavours:
        found = ", ".join(flavours)
        raise FetchError(
            "WrongFlavour", f"{what} has the flavours {found}, not python_function: log it with a flavour that has it"
        )


def flavours_of(text: str) -> list[str]:
    """The keys below `flavors:`. MLflow writes the file itself, in block style, so this needs no YAML parser."""
    block = re.search(r"^flavors:[ \t]*\n((?:[ \t]+.*\n?|\n)*)", text, re.MULTILINE)
    keys = re.findall(r"^( +)([\w.-]+):", block.group(1), re.MULTILINE) if block else []
    indent = min((len(spaces) for spaces, _ in keys), default=0)
    return [key for spaces, key in keys if len(spaces) == indent]
