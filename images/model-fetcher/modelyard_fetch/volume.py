"""The pod's volume: files are downloaded beside their place and moved into it once all of them are there."""

import errno
import os
import shutil
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from modelyard_fetch.errors import BusyError, FetchError, UsageError
from modelyard_fetch.model import ARTIFACTS, MODEL_FILE, RemoteFile
from modelyard_fetch.server import Answer, Response, Server, refused

# Marks a folder whose content is ours to remove when a restarted container begins again.
MARKER = ".modelyard-fetch"
PARTIAL = ".modelyard-partial"
PARALLEL_DOWNLOADS = 4
CHUNK_BYTES = 1 << 20


def prepare(folder: Path) -> Path:
    """Empties a folder that an earlier attempt filled, and makes the one to download into."""
    folder.mkdir(parents=True, exist_ok=True)
    present = [entry for entry in folder.iterdir() if entry.name not in (MARKER, "lost+found")]
    if present and not (folder / MARKER).exists():
        raise UsageError(f"--to {folder} must be empty, but has {present[0].name}: name another folder")
    (folder / MARKER).touch()
    for entry in present:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))


def check_space(folder: Path, files: list[RemoteFile]) -> None:
    """Raises DiskFull before anything is written that cannot fit."""
    needed = sum(file.size_bytes or 0 for file in files)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FetchError(
            "DiskFull", f"the model has {needed} bytes and {folder} room for {free}: give the node more disk"
        )


def download_all(server: Server, root: str, files: list[RemoteFile], folder: Path) -> int:
    """Fetches a few at a time; the sum of their sizes in bytes. The first error ends it."""
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        running = [pool.submit(download, server, root, file, folder) for file in files]
        try:
            return sum(done.result() for done in running)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def download(server: Server, root: str, file: RemoteFile, folder: Path) -> int:
    """Fetches one file; its size in bytes. A transfer cut short is repeated, a file that stays short is an error."""
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    path = f"{ARTIFACTS}/{urllib.parse.quote(f'{root}/{file.path}')}"
    got = server.get(path, {}, lambda response: save(response, target, server.deadline))
    if isinstance(got, Answer):
        if got.code == 404:
            raise FetchError(
                "ModelIncomplete", f"{file.path} is listed by MLflow but is not there: log the model again"
            )
        raise refused(server.base, got)
    if file.size_bytes is not None and got != file.size_bytes:
        raise FetchError("ModelIncomplete", f"{file.path} has {got} bytes, not the {file.size_bytes} that MLflow lists")
    return got


def save(response: Response, target: Path, deadline: float) -> int:
    """Writes an answer to a file from its beginning; BusyError where fewer bytes came than were announced."""
    written = 0
    with target.open("wb") as output:
        while chunk := response.read(CHUNK_BYTES):
            written += output.write(chunk)
            # A server that sends a byte now and then would keep every single read within its time.
            if time.monotonic() > deadline:
                raise BusyError(f"{target.name} was still coming when the time was over")
    announced = response.headers.get("Content-Length")
    if announced is not None and announced != str(written):
        raise BusyError(f"{target.name} ended after {written} of {announced} bytes")
    return written


def publish(partial: Path, folder: Path) -> None:
    """Moves the whole model into place, MLmodel last. The folder itself may be a mount, which cannot be replaced."""
    for entry in sorted(partial.iterdir(), key=lambda entry: entry.name == MODEL_FILE):
        entry.rename(folder / entry.name)
    partial.rmdir()


def copy_files(source: Path, target: Path) -> tuple[int, int]:
    """Copies a mounted ConfigMap's files, all of one moment, writable for their owner; their number and bytes."""
    data = source / "..data"
    # Kubernetes replaces a ConfigMap's files by moving this one link.
    start = data.resolve() if data.exists() else source
    if not start.is_dir():
        raise UsageError(f"--from {source} is not a folder")
    files = [path for path in sorted(start.rglob("*")) if path.is_file() and not is_internal(path.relative_to(start))]
    for path in files:
        copy = target / path.relative_to(start)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        copy.chmod(copy.stat().st_mode | 0o600)
    return len(files), sum(path.stat().st_size for path in files)


def is_internal(path: Path) -> bool:
    """Whether it belongs to the mount's own bookkeeping."""
    return any(part.startswith("..") for part in path.parts)


def volume_error(error: OSError) -> FetchError:
    """What a failed write or read means for the person who runs this."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FetchError("DiskFull", f"the volume is full ({error}): give it more space")
    return FetchError("VolumeUnusable", f"{error}: the volume must be readable and writable for user {os.getuid()}")
