"""Debian packages: which of those needed are missing, and one apt-get call for them."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.localcluster.errors import ClusterError
from tools.localcluster.processes import tail
from tools.localcluster.progress import Steps

# To compile, and to make certificates.
BUILD_PACKAGES = ("gcc", "libc6-dev", "libseccomp-dev", "openssl", "pkg-config", "ca-certificates")
# To run the node, and to build images for it.
NODE_PACKAGES = ("buildah", "conntrack", "containernetworking-plugins", "iproute2", "iptables", "mmdebstrap", "procps")
INSTALLED = "install ok installed"


def installed_packages(status: str) -> set[str]:
    """The names of fully installed packages in lines of `<name> <status>`, as dpkg-query writes them."""
    rows = [line.partition(" ") for line in status.splitlines()]
    return {name for name, _, state in rows if state == INSTALLED}


def missing_packages(wanted: Sequence[str]) -> list[str]:
    """Those of the packages that are not installed."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${Status}\\n", *wanted]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ClusterError("this is no Debian (dpkg-query is missing): the local cluster needs Debian 12") from None
    present = installed_packages(done.stdout)
    return [name for name in wanted if name not in present]


def install_missing(wanted: Sequence[str], log: Path, steps: Steps) -> None:
    """Installs what is missing; silent where nothing is."""
    missing = missing_packages(wanted)
    if not missing:
        return
    if os.geteuid() != 0:
        raise ClusterError(f"packages are missing: run `apt-get install {' '.join(missing)}` as root, then again")
    # Waits for another apt-get rather than failing on its lock.
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"]
    with steps.step(f"installing {', '.join(missing)}"):
        run_logged([*apt, "update"], log)
        run_logged([*apt, "install", "--yes", "--no-install-recommends", *missing], log)


def unpacked(package: str, folder: Path, log: Path) -> Path:
    """The files of a package, downloaded once into a folder: nothing is installed and no service begins."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{package}-") as scratch:
        _download(package, Path(scratch), log)
        archive = next(Path(scratch).glob("*.deb"))
        run_logged(["dpkg-deb", "--extract", str(archive), str(Path(scratch, "files"))], log)
        # Whoever else did the same at the same time was as good.
        with contextlib.suppress(OSError):
            Path(scratch, "files").rename(folder)
    return folder


def _download(package: str, folder: Path, log: Path) -> None:
    """Downloads a package into a folder, with fresh lists where those that are there do not know it."""
    command = ["env", f"--chdir={folder}", "apt-get", "-o", "Acquire::Retries=3", "download", package]
    try:
        run_logged(command, log)
    except ClusterError:
        if os.geteuid() != 0:
            raise
        run_logged(["apt-get", "-o", "DPkg::Lock::Timeout=600", "update"], log)
        run_logged(command, log)


def run_logged(argv: Sequence[str], log: Path, **environment: str) -> None:
    """Runs a command with its output in a log; raises ClusterError with the log's end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", **environment},
        )
    if done.returncode != 0:
        command = " ".join(argv[:4])
        raise ClusterError(f"`{command} ...` failed with {done.returncode}; the end of its log {log}:\n{tail(log)}")


def require_commands(commands: Iterable[str]) -> None:
    """Raises ClusterError for a command that is not on PATH."""
    for command in commands:
        if shutil.which(command) is None:
            raise ClusterError(f"the command {command} is missing: run `make cluster` as root once to install it")
