"""Image archives: OCI layouts in a tar file, with several names each, and how many of them are kept."""

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

KEPT_PER_IMAGE = 3
# The first is read by buildah and skopeo, the second by containerd and Docker.
NAME_ANNOTATIONS = ("org.opencontainers.image.ref.name", "io.containerd.image.name")


def name_image(layout: Path, references: Sequence[str]) -> None:
    """Gives the one image of an OCI layout all its names."""
    index_file = layout / "index.json"
    index = json.loads(index_file.read_text("utf-8"))
    (manifest,) = index["manifests"]
    named = [{**manifest, "annotations": dict.fromkeys(NAME_ANNOTATIONS, reference)} for reference in references]
    index_file.write_text(json.dumps({**index, "manifests": named}), "utf-8")


def pack(layout: Path, archive: Path) -> None:
    """Writes a layout as a tar file: present means complete."""
    unfinished = archive.with_suffix(".unfinished.tar")
    with tarfile.open(unfinished, "w") as tar:
        for path in sorted(layout.rglob("*")):
            tar.add(path, path.relative_to(layout).as_posix(), recursive=False, filter=anonymous)
    unfinished.rename(archive)


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without the time and owner it has on this machine."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def prune(folder: Path, name: str, keep: Path) -> list[Path]:
    """Removes the oldest archives of one image; what was removed. The one in use counts as the newest."""
    keep.touch()
    archives = [path for path in folder.glob(f"{name}-*.tar") if path.stem.rpartition("-")[0] == name]
    newest_first = sorted(archives, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[KEPT_PER_IMAGE:]:
        path.unlink()
    return newest_first[KEPT_PER_IMAGE:]
