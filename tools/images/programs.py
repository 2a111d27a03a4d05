"""Programs of Go modules that an image needs: compiled here, with the caches of the cluster's own build."""

from pathlib import Path

from tools.images.catalog import GoProgram, Image
from tools.localcluster.build import COMPILER_FLAGS, check_disk, go_environment
from tools.localcluster.packages import run_logged
from tools.localcluster.paths import cache_root
from tools.localcluster.progress import Steps
from tools.localcluster.toolchain import ensure_go

# Measured: 1.5 GiB where the cluster's programs were compiled before, twice that where not.
NEEDED_GIB = 4
# No symbols.
FLAGS = (*COMPILER_FLAGS, "-ldflags=-s -w")


def compile_into(context: Path, image: Image, log: Path, steps: Steps) -> None:
    """Leaves the image's program, if it has one, in the folder that it is built from.

    Raises:
        ClusterError: it cannot be compiled; the message has the log's end.
    """
    if image.program is None:
        return
    go = ensure_go(log, steps)
    check_disk(cache_root() / "go", NEEDED_GIB, f"to compile {image.program.name}")
    command = compile_command(go, image.program, image.checkout / image.context, context)
    run_logged(command, log, **go_environment(), CGO_ENABLED="0")


def compile_command(go: Path, program: GoProgram, module: Path, output: Path) -> list[str]:
    """The `go build` command that leaves the program in a folder."""
    return [str(go), "-C", str(module), "build", *FLAGS, "-o", str(output / program.name), program.package]
