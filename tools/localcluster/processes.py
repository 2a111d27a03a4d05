"""Processes that are known by a pid file of their own, never by name."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.localcluster.errors import ClusterError

# Ties a process to the thread that started it: whoever is killed takes its control plane along.
DIES_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
OUTLIVES_PARENT = ()


@dataclass(frozen=True)
class Program:
    """One program to run: its name for files and messages, and its command line."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def start_ticks(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None where there is no such process (a zombie is none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in the second field may hold blanks and parentheses: count from the last one.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]


class ProcessFolder:
    """Starts and stops programs by pid files in one folder and logs in another.

    A pid file holds the pid and the start time, so that a pid taken over by another process is never killed.
    """

    def __init__(self, pids: Path, logs: Path, launcher: tuple[str, ...] = OUTLIVES_PARENT) -> None:
        self._pids = pids
        self._logs = logs
        self._launcher = launcher
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """The file that holds what the program printed."""
        return self._logs / f"{name}.log"

    def start(self, program: Program) -> None:
        """Starts a program; one that already runs is left alone."""
        if self.is_running(program.name):
            return
        for folder in (self._pids, self._logs):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log(program.name).open("ab") as log:
            child = subprocess.Popen(
                [*self._launcher, *program.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                start_new_session=True,
            )
        self._children[program.name] = child
        self._pid_file(program.name).write_text(f"{child.pid} {start_ticks(child.pid)}\n", encoding="utf-8")

    def pid(self, name: str) -> int | None:
        """The pid of a program that runs now."""
        try:
            recorded, ticks = self._pid_file(name).read_text(encoding="utf-8").split()
        except (FileNotFoundError, ValueError):
            return None
        return int(recorded) if start_ticks(int(recorded)) == ticks else None

    def is_running(self, name: str) -> bool:
        """Whether the program that was started under this name is still the one that runs."""
        return self.pid(name) is not None

    def names(self) -> list[str]:
        """Every name with a pid file, alive or not."""
        return sorted(path.stem for path in self._pids.glob("*.pid"))

    def send(self, name: str, signal_number: signal.Signals) -> None:
        """Sends a signal to a program, where it runs."""
        if (pid := self.pid(name)) is not None:
            os.kill(pid, signal_number)

    def kill(self, name: str) -> None:
        """SIGKILL, and waits until the process is gone. SIGTERM would let an apiserver drain watches for a minute."""
        self.send(name, signal.SIGKILL)
        if (child := self._children.pop(name, None)) is not None:
            child.wait()
        wait_until(lambda: not self.is_running(name), f"{name} to end", timeout_seconds=20)
        self._pid_file(name).unlink(missing_ok=True)

    def check_alive(self, name: str) -> None:
        """Raises ClusterError with the end of its log where a program that was started has ended."""
        if not self.is_running(name):
            raise ClusterError(f"{name} ended; the end of its log {self.log(name)}:\n{tail(self.log(name))}")

    def _pid_file(self, name: str) -> Path:
        return self._pids / f"{name}.pid"


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a file, indented; a missing file reads as empty."""
    if not path.exists():
        return "    (no log)"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        text = file.read().decode(errors="replace")
    return "\n".join(f"    {line[:1000]}" for line in text.splitlines()[-lines:])


class NotInTimeError(ClusterError):
    """Something did not become true in time."""


def wait_until(condition: Callable[[], bool], what: str, timeout_seconds: float, pause_seconds: float = 0.05) -> None:
    """Waits until the condition holds; raises NotInTimeError with the words for what was awaited."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTimeError(f"waited {timeout_seconds:.0f} s in vain for {what}")
        time.sleep(pause_seconds)
