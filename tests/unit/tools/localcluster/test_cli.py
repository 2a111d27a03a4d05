"""The command line."""

import subprocess
from pathlib import Path

import pytest

from tools.localcluster.cli import main
from tools.localcluster.locks import exclusive
from tools.localcluster.progress import Steps


def test_without_a_cluster_the_kubeconfig_is_an_error_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELYARD_STATE", str(tmp_path))
    assert main(["kubeconfig"]) == 1
    assert capsys.readouterr().err == "error: no local cluster is up: start one with `make cluster`\n"


def test_the_kubeconfig_command_prints_its_path_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODELYARD_STATE", str(tmp_path))
    (tmp_path / "kubeconfig").touch()
    assert main(["kubeconfig"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/kubeconfig\n"


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sideways"])


def test_whoever_waits_for_a_lock_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(["flock", str(lock), "sh", "-c", "echo held; sleep 0.5"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with exclusive(lock, Steps("test"), "waiting for the other"):
            assert "waiting for the other" in capsys.readouterr().err


def test_a_free_lock_is_taken_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive(tmp_path / "lock", Steps("test"), "waiting for the other"):
        assert capsys.readouterr().err == ""
