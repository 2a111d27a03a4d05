"""Who may use a running cluster, and what the others are told."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.localcluster.errors import ClusterError
from tools.localcluster.owner import Owner, read_owner, shared, write_owner

MINE = Owner("/home/me/one", "cluster", "/var/lib/state", "/cache/bin-1", "2026-01-01 10:00:00")


def test_a_cluster_for_anyone_is_taken_for_a_purpose() -> None:
    assert shared(MINE, replace(MINE, purpose="test")) == replace(MINE, purpose="test")


def test_asking_for_any_cluster_keeps_the_purpose_of_the_running_one() -> None:
    demo = replace(MINE, purpose="demo")
    assert shared(demo, MINE) == demo


@pytest.mark.parametrize(
    "running",
    [
        replace(MINE, checkout="/home/me/two"),
        replace(MINE, state="/mnt/state"),
        replace(MINE, purpose="demo"),
    ],
    ids=["another checkout", "another state", "another purpose"],
)
def test_somebody_elses_cluster_is_not_touched_and_the_cure_is_named(running: Owner) -> None:
    with pytest.raises(ClusterError, match=r"in use by .*make cluster-down.*MODELYARD_TAKE_OVER=1") as caught:
        shared(running, replace(MINE, purpose="test"))
    assert running.checkout in str(caught.value)
    assert running.purpose in str(caught.value)


def test_a_cluster_of_other_programs_is_started_anew() -> None:
    assert shared(MINE, replace(MINE, programs="/cache/bin-2")) is None


def test_an_owner_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_owner(MINE, tmp_path / "run" / "owner.json")
    assert read_owner(tmp_path / "run" / "owner.json") == MINE


@pytest.mark.parametrize("content", ["", "{", "[]", '{"checkout": "/x"}'])
def test_a_damaged_record_names_no_owner(tmp_path: Path, content: str) -> None:
    (tmp_path / "owner.json").write_text(content)
    assert read_owner(tmp_path / "owner.json") is None


def test_a_missing_record_names_no_owner(tmp_path: Path) -> None:
    assert read_owner(tmp_path / "owner.json") is None
