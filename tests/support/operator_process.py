"""The operator as a process of its own, as its pod would run it: it can be killed, stopped and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from support.waiting import eventually

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
LEADING_SECONDS = 40.0
"""An operator that was killed before may hold the Lease for 15 s."""


def free_port() -> int:
    """A port on loopback that nobody uses right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class OperatorProcess:
    """One replica. `settings` are its MODELYARD_ variables, without that prefix."""

    def __init__(self, kubeconfig: Path, folder: Path, identity: str, settings: Mapping[str, str]) -> None:
        self.identity = identity
        self.log = folder / f"{identity}.log"
        self._kubeconfig = kubeconfig
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._probe_port = self._metrics_port = 0

    def start(self) -> None:
        """Start it; does not wait."""
        self._probe_port, self._metrics_port = free_port(), free_port()
        own = {
            "IDENTITY": self.identity,
            "PROBE_HOST": "127.0.0.1",
            "PROBE_PORT": str(self._probe_port),
            "METRICS_PORT": str(self._metrics_port),
        }
        given = {f"MODELYARD_{name}": value for name, value in (own | self._settings).items()}
        # Nothing of the machine's own settings: no proxy, no other cluster, no MLflow credentials.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = kept | {"KUBECONFIG": str(self._kubeconfig), "PYTHONPATH": str(ROOT / "operator")} | given
        command = [sys.executable, "-m", "modelyard.main"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    def start_and_wait(self) -> None:
        """Start it and wait until its caches are filled."""
        self.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            assert self.is_alive(), f"the operator ended:\n{self.tail()}"
            assert time.monotonic() < deadline, f"not ready:\n{self.tail()}"
            time.sleep(0.1)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """What its readiness probe says."""
        return self._get(self._probe_port, "/readyz") is not None

    def metric(self, name: str) -> float:
        """The value of the first series that begins so; 0 while there is none."""
        for line in (self._get(self._metrics_port, "/metrics") or "").splitlines():
            if line.startswith(name):
                return float(line.rpartition(" ")[2])
        return 0.0

    @property
    def settings(self) -> Mapping[str, str]:
        """Its settings, as they were given."""
        return self._settings

    def leads(self) -> bool:
        """Whether it holds the Lease, as its metric says."""
        return self.metric("leader_election_master_status") == 1

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self, patience_seconds: float = 25.0) -> int:
        """SIGTERM; the exit code, or an error when it takes longer than a pod's grace period leaves it."""
        self.signal(signal.SIGTERM)
        return self.wait_until_gone(patience_seconds)

    def wait_until_gone(self, patience_seconds: float = 25.0) -> int:
        """The exit code of one that was told to end."""
        assert self._process is not None
        try:
            return self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {patience_seconds:.0f} s after SIGTERM:\n{self.tail()}") from None
        finally:
            self._process = None

    def tail(self, lines: int = 25) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _get(self, port: int, path: str) -> str | None:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(f"http://127.0.0.1:{port}{path}", timeout=2)
        except requests.RequestException:
            return None
        return answer.text if answer.ok else None


@contextmanager
def running(processes: list[OperatorProcess]) -> Iterator[list[OperatorProcess]]:
    """Replicas from the start to the end of the block; those that a test left dead are left so."""
    for process in processes:
        process.start()
    try:
        for process in processes:
            eventually(process.is_ready, f"{process.identity} is ready", process.tail, START_SECONDS)
        eventually(lambda: any(p.leads() for p in processes), "a replica leads", processes[0].tail, LEADING_SECONDS)
        yield processes
    finally:
        for process in processes:
            if process.is_alive():
                process.stop()
