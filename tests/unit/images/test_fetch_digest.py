"""modelyard-fetch digest, and model with what it said: the same files have the same digest, others are refused."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from unit.images.fetching import Fetch, Outcome, Registry

DIGEST_OF_NOTHING = "sha256:" + hashlib.sha256(b"").hexdigest()


def digest(run_fetcher: Fetch, registry: Registry, *extra: str) -> Outcome:
    argv = ("digest", "--name", "digits", "--version", "3", *extra)
    return run_fetcher(*argv, MLFLOW_TRACKING_URI=registry.base)


def test_it_is_what_sha256sum_says_of_the_files(run_fetcher: Fetch, registry: Registry, tmp_path: Path) -> None:
    registry.files |= {"Z.txt": b"z", "a b/ü.txt": b"u", "a.txt": b"", "a/b": b"ab", "a-b": b"x"}
    for name, content in registry.files.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    told = subprocess.run(["sh", "-c", command], cwd=tmp_path / "files", capture_output=True, text=True, check=True)
    outcome = digest(run_fetcher, registry)
    assert outcome.code == 0
    assert outcome.message["digest"] == "sha256:" + told.stdout.split()[0]
    assert outcome.message["files"] == len(registry.files)


def test_the_documented_command_is_that_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "promotion.md").read_text()
    assert "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum\n" in page


def change(registry: Registry) -> None:
    registry.files["model.skops"] = b"t" * 5000


def rename(registry: Registry) -> None:
    registry.files["model2.skops"] = registry.files.pop("model.skops")


def add(registry: Registry) -> None:
    registry.files["code/more.py"] = b""


def take_away(registry: Registry) -> None:
    registry.files.pop("model.skops")


@pytest.mark.parametrize("meddle", [change, rename, add, take_away])
def test_files_that_were_swapped_are_refused(
    run_fetcher: Fetch, fetch: Fetch, registry: Registry, tmp_path: Path, meddle: object
) -> None:
    promoted = digest(run_fetcher, registry).message["digest"]
    assert fetch("--digest", promoted).code == 0
    meddle(registry)  # type: ignore[operator]
    outcome = fetch("--digest", promoted)
    assert (outcome.code, outcome.message["reason"]) == (1, "DigestMismatch")
    assert promoted in outcome.message["message"]
    assert not (tmp_path / "model" / "MLmodel").exists()


def test_a_transfer_cut_short_is_repeated(run_fetcher: Fetch, registry: Registry) -> None:
    whole = digest(run_fetcher, registry).message["digest"]
    registry.cut_after = {"model.skops": 100}
    assert digest(run_fetcher, registry).message["digest"] == whole


def test_a_file_of_another_size_than_listed_has_no_digest(run_fetcher: Fetch, registry: Registry) -> None:
    registry.listed_sizes = {"model.skops": 5001}
    assert digest(run_fetcher, registry).message["reason"] == "ModelIncomplete"


def test_a_file_that_is_listed_and_missing_has_no_digest(run_fetcher: Fetch, registry: Registry) -> None:
    registry.listed_names = ["weights.bin"]
    assert digest(run_fetcher, registry).message["reason"] == "ModelIncomplete"


@pytest.mark.parametrize("text", ["sha256:abc", "", "md5:" + "a" * 64, DIGEST_OF_NOTHING + "\n", "SHA256:" + "a" * 64])
def test_what_is_no_digest_is_refused_before_anything_is_asked(fetch: Fetch, registry: Registry, text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        fetch("--digest", text)
    assert ended.value.code == 2
    assert not registry.paths
