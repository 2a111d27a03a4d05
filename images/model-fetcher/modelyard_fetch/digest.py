r"""One digest for all files of a model: the same files, the same digest, wherever they were read.

In the files' own folder this tells it, too:

  find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
"""

import argparse
import hashlib
import re
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from modelyard_fetch.errors import BusyError, FetchError
from modelyard_fetch.model import ARTIFACTS, RemoteFile
from modelyard_fetch.server import Answer, Response, Server, refused

CHUNK_BYTES = 1 << 20
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest(text: str) -> str:
    """The text, if it is a digest."""
    if not DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not sha256: and 64 hexadecimal digits")
    return text


def digest_of(hashes: Mapping[str, str]) -> str:
    """The digest of files by their paths and the SHA-256 of each: lines as sha256sum writes them, in order of bytes."""
    lines = (f"{hashes[path]}  {path}\n".encode() for path in sorted(hashes, key=str.encode))
    return "sha256:" + hashlib.sha256(b"".join(lines)).hexdigest()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file that is here."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def hash_remote(server: Server, root: str, file: RemoteFile) -> str:
    """The SHA-256 of a file that MLflow has; a transfer cut short is repeated, a file that stays short is an error."""
    path = f"{ARTIFACTS}/{urllib.parse.quote(f'{root}/{file.path}')}"
    got = server.get(path, {}, lambda response: read(response, server.deadline))
    if isinstance(got, Answer):
        if got.code == 404:
            raise FetchError(
                "ModelIncomplete", f"{file.path} is listed by MLflow but is not there: log the model again"
            )
        raise refused(server.base, got)
    hexadecimal, size = got
    if file.size_bytes is not None and size != file.size_bytes:
        raise FetchError(
            "ModelIncomplete", f"{file.path} has {size} bytes, not the {file.size_bytes} that MLflow lists"
        )
    return hexadecimal


def read(response: Response, deadline: float) -> tuple[str, int]:
    """The SHA-256 of an answer and its size; BusyError where fewer bytes came than were announced."""
    hashed, size = hashlib.sha256(), 0
    while chunk := response.read(CHUNK_BYTES):
        hashed.update(chunk)
        size += len(chunk)
        if time.monotonic() > deadline:
            raise BusyError("a file was still coming when the time was over")
    announced = response.headers.get("Content-Length")
    if announced is not None and announced != str(size):
        raise BusyError(f"a file ended after {size} of {announced} bytes")
    return hashed.hexdigest(), size


def check_digest(wanted: str, found: str, what: str) -> None:
    """Raises DigestMismatch where the files are not those that were promoted."""
    if found != wanted:
        raise FetchError(
            "DigestMismatch",
            f"{what}: the files in MLflow are {found}, but those that were promoted are {wanted}: somebody changed "
            "them; register and promote a new version",
        )
