"""modelyard-fetch copy: a mounted ConfigMap becomes a folder one can write to."""

from pathlib import Path

import pytest

from unit.images.fetching import Fetch, Outcome


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """What a kubelet makes of a ConfigMap with the keys train.py and lib/util.py."""
    folder = tmp_path / "mount"
    data = folder / "..2026_01_01"
    (data / "lib").mkdir(parents=True)
    (data / "train.py").write_text("print(1)\n")
    (data / "train.py").chmod(0o444)
    (data / "lib" / "util.py").write_text("pass\n")
    (folder / "..data").symlink_to("..2026_01_01")
    (folder / "train.py").symlink_to("..data/train.py")
    (folder / "lib").symlink_to("..data/lib")
    return folder


def copy(run_fetcher: Fetch, source: Path, target: Path) -> Outcome:
    return run_fetcher("copy", "--from", str(source), "--to", str(target))


def test_files_are_copied_without_the_mounts_own_links(run_fetcher: Fetch, mount: Path, tmp_path: Path) -> None:
    outcome = copy(run_fetcher, mount, tmp_path / "work")
    assert outcome.code == 0
    found = sorted(str(path.relative_to(tmp_path / "work")) for path in (tmp_path / "work").rglob("*"))
    assert found == ["lib", "lib/util.py", "train.py"]
    assert outcome.message["files"] == 2
    assert not (tmp_path / "work" / "train.py").is_symlink()


def test_copies_can_be_written_by_their_owner(run_fetcher: Fetch, mount: Path, tmp_path: Path) -> None:
    copy(run_fetcher, mount, tmp_path / "work")
    assert (tmp_path / "work" / "train.py").stat().st_mode & 0o600 == 0o600


def test_second_run_replaces_what_the_first_left(run_fetcher: Fetch, mount: Path, tmp_path: Path) -> None:
    copy(run_fetcher, mount, tmp_path / "work")
    (tmp_path / "work" / "train.py").write_text("half a fi")
    assert copy(run_fetcher, mount, tmp_path / "work").code == 0
    assert (tmp_path / "work" / "train.py").read_text() == "print(1)\n"


def test_plain_folder_is_copied_too(run_fetcher: Fetch, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.txt").write_text("a")
    assert copy(run_fetcher, tmp_path / "plain", tmp_path / "work").code == 0
    assert (tmp_path / "work" / "a.txt").read_text() == "a"


def test_missing_source_is_a_usage_error(run_fetcher: Fetch, tmp_path: Path) -> None:
    assert copy(run_fetcher, tmp_path / "nothing", tmp_path / "work").code == 2


def test_target_that_cannot_be_written_is_reported(run_fetcher: Fetch, mount: Path, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file in the way")
    outcome = copy(run_fetcher, mount, tmp_path / "work")
    assert (outcome.code, outcome.message["reason"]) == (1, "VolumeUnusable")
