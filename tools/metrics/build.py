"""metrics-server, compiled once from its Go module, and the image that the node gets of it."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from tools.localcluster.build import check_disk, go_environment
from tools.localcluster.locks import exclusive
from tools.localcluster.packages import run_logged
from tools.localcluster.paths import cache_root
from tools.localcluster.pause import write_archive
from tools.localcluster.progress import Steps
from tools.localcluster.toolchain import ensure_go

# As in go.mod.
VERSION = "0.9.0"
NAME = "metrics-server"
PACKAGE = "sigs.k8s.io/metrics-server/cmd/metrics-server"
GO_MODULE = Path(__file__).with_name("go")
# Measured: 1 GiB of modules and compiled packages besides those of Kubernetes.
NEEDED_GIB = 3
FLAGS = ("-trimpath", "-mod=readonly", "-gcflags=all=-dwarf=false", "-ldflags=-s -w")


def source_hash() -> str:
    """Names a build by everything that goes into it."""
    sources = (GO_MODULE / "go.mod", GO_MODULE / "go.sum")
    return hashlib.sha256(repr(FLAGS).encode() + b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]


def image() -> str:
    """The image's reference; it changes with what goes into it."""
    return f"localhost/modelyard/{NAME}:{VERSION}-{source_hash()}"


def ensure_program() -> Path:
    """The program, compiled where it is missing; present means complete. Raises ClusterError."""
    program = _cache() / f"bin-{source_hash()}" / NAME
    if not program.exists():
        steps = Steps("metrics")
        with exclusive(_cache() / "build.lock", steps, "waiting for another build of metrics-server"):
            if not program.exists():
                _build(program, steps)
    return program


def write_image(archive: Path) -> None:
    """Writes the image as an archive that containerd reads; raises ClusterError."""
    write_archive(archive, image(), ensure_program())


def _cache() -> Path:
    return cache_root() / "metrics"


def _build(program: Path, steps: Steps) -> None:
    check_disk(_cache(), NEEDED_GIB, "to build metrics-server")
    log = _cache() / "logs" / f"{program.parent.name}.log"
    go = ensure_go(log, steps)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=_cache()))
    settings = {**go_environment(), "GOTMPDIR": str(unfinished), "CGO_ENABLED": "0"}
    with steps.step(f"compiling metrics-server {VERSION} (log: {log})"):
        command = [str(go), "-C", str(GO_MODULE), "build", *FLAGS, "-o", str(unfinished / "bin" / NAME), PACKAGE]
        run_logged(command, log, **settings)
    (unfinished / "bin").rename(program.parent)
    shutil.rmtree(unfinished)
