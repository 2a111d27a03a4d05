"""Scripts that train, run as processes of their own with the variables that their pod would get."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY = "ready"
"""What a script prints that then waits to be killed."""
_SECONDS = 120


def start_script(code: str, variables: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """The script, under way in a folder of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    quiet = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "HOME": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        env=kept | dict(variables) | quiet,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_script(code: str, variables: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Its exit code, and what it said last."""
    process = start_script(code, variables, folder)
    try:
        _, errors = process.communicate(timeout=_SECONDS)
    finally:
        process.kill()
    return process.returncode, errors[-2000:]


def kill_script(code: str, variables: Mapping[str, str], folder: Path, signal: int) -> int:
    """The exit code of a script that got a signal once it was ready."""
    process = start_script(code, variables, folder)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == READY, process.stderr and process.stderr.read()
        process.send_signal(signal)
        process.communicate(timeout=_SECONDS)
    finally:
        process.kill()
    return process.returncode
