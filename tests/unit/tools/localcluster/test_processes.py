"""Processes are known by their pid files, and a pid that changed hands is not touched."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.localcluster.errors import ClusterError
from tools.localcluster.processes import (
    DIES_WITH_PARENT,
    NotInTimeError,
    ProcessFolder,
    Program,
    start_ticks,
    tail,
    wait_until,
)

SLEEPER = Program("sleeper", ("sleep", "60"))


@pytest.fixture
def folder(tmp_path: Path) -> ProcessFolder:
    return ProcessFolder(tmp_path / "pids", tmp_path / "logs")


def test_a_started_program_runs_until_it_is_killed(folder: ProcessFolder) -> None:
    folder.start(SLEEPER)
    assert folder.is_running("sleeper")
    folder.kill("sleeper")
    assert not folder.is_running("sleeper")
    assert folder.names() == []


def test_a_running_program_is_not_started_twice(folder: ProcessFolder) -> None:
    folder.start(SLEEPER)
    first = folder.pid("sleeper")
    folder.start(SLEEPER)
    assert folder.pid("sleeper") == first
    folder.kill("sleeper")


def test_a_program_is_found_and_killed_by_another_process_of_ours(folder: ProcessFolder, tmp_path: Path) -> None:
    folder.start(SLEEPER)
    pid = folder.pid("sleeper")
    later = ProcessFolder(tmp_path / "pids", tmp_path / "logs")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    later.kill("sleeper")
    assert later.names() == []


def test_a_pid_that_went_to_another_process_is_left_alone(folder: ProcessFolder, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "sleeper.pid").write_text(f"{os.getpid()} 1\n")
    folder.kill("sleeper")
    assert start_ticks(os.getpid()) is not None
    assert folder.names() == []


def test_a_damaged_pid_file_is_no_process(folder: ProcessFolder, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "sleeper.pid").write_text("")
    assert not folder.is_running("sleeper")


def test_the_end_of_the_log_is_told_where_a_program_ended(folder: ProcessFolder) -> None:
    folder.start(Program("liar", ("sh", "-c", "echo cannot go on; exit 1")))
    wait_until(lambda: not folder.is_running("liar"), "the liar to end", 5)
    with pytest.raises(ClusterError, match=r"liar ended.*\n    cannot go on"):
        folder.check_alive("liar")


def test_a_tied_program_ends_with_whoever_started_it(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from tools.localcluster.processes import *;"
        f"p = ProcessFolder(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), DIES_WITH_PARENT);"
        "p.start(Program('child', ('sleep', '60'))); import os, time; time.sleep(0.3); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    orphan = ProcessFolder(tmp_path, tmp_path, DIES_WITH_PARENT)
    wait_until(lambda: not orphan.is_running("child"), "the child to end", 5)


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(NotInTimeError, match="waited 0 s in vain for rain"):
        wait_until(lambda: False, "rain", 0)


def test_only_the_last_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(str(number) for number in range(100)))
    assert tail(tmp_path / "log", lines=2) == "    98\n    99"
