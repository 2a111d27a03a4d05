"""Talks to a real API server as kubectl does."""

import subprocess
from pathlib import Path

from tools.localcluster.controlplane import ControlPlane


class Cluster:
    """The API server, by kubectl."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane

    def kubectl(
        self, *arguments: str, stdin: str = "", kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it as the administrator, or as somebody else; its exit code is the caller's to judge."""
        return subprocess.run(
            [
                str(self.control_plane.kubectl),
                f"--kubeconfig={kubeconfig or self.control_plane.kubeconfig}",
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def output(self, *arguments: str, stdin: str = "") -> str:
        """What it prints; the test fails where it does not succeed."""
        done = self.kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, text: str) -> None:
        """Make it so."""
        self.output("apply", "--server-side", "-f", "-", stdin=text)
