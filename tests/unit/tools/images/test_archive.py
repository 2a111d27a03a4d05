"""Archives: names, reproducible bytes, and how many are kept."""

import json
import os
import tarfile
from pathlib import Path

import pytest

from tools.images.archive import KEPT_PER_IMAGE, name_image, pack, prune

BLOBS = ["blobs/sha256/abc", "index.json", "oci-layout"]


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    folder = tmp_path / "layout"
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "blobs" / "sha256" / "abc").write_text("{}")
    (folder / "oci-layout").write_text("{}")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [{"digest": "sha256:abc"}]}))
    return folder


def test_every_name_points_at_the_one_manifest(layout: Path) -> None:
    name_image(layout, ["r/a:1", "r/a:1-x"])
    manifests = json.loads((layout / "index.json").read_text())["manifests"]
    assert [entry["digest"] for entry in manifests] == ["sha256:abc"] * 2
    assert [entry["annotations"]["io.containerd.image.name"] for entry in manifests] == ["r/a:1", "r/a:1-x"]
    assert [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in manifests] == ["r/a:1", "r/a:1-x"]


def test_archive_holds_the_layout_without_times_and_owners(layout: Path, tmp_path: Path) -> None:
    pack(layout, tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        members = tar.getmembers()
    assert [member.name for member in members if member.isfile()] == BLOBS
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(0, 0, "")}


def test_unfinished_archive_never_has_the_final_name(
    layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(tarfile.TarFile, "add", fail)
    with pytest.raises(OSError, match="disk full"):
        pack(layout, tmp_path / "a.tar")
    assert not (tmp_path / "a.tar").exists()


def test_oldest_archives_of_the_same_image_go(tmp_path: Path) -> None:
    archives = [tmp_path / f"model-{number}.tar" for number in range(5)]
    for age, path in enumerate(archives):
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    other = tmp_path / "model-server-1.tar"
    other.touch()
    os.utime(other, (1, 1))
    removed = prune(tmp_path, "model", keep=archives[4])
    assert removed == [archives[2], archives[3]]
    assert other.exists()
    assert len(list(tmp_path.glob("model-?.tar"))) == KEPT_PER_IMAGE
