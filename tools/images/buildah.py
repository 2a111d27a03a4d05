"""buildah, with a store of its own in the cache and without a container engine's privileges."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.images.base import BASE_REFERENCE
from tools.localcluster.errors import ClusterError
from tools.localcluster.packages import run_logged

# No runtime and no namespaces: builds also where this machine is itself a container.
ISOLATION = {"BUILDAH_ISOLATION": "chroot"}
BASE_CONTAINERFILE = 'FROM scratch\nADD base.tar /\nENV LANG=C.UTF-8\nCMD ["python3"]\n'


@dataclass(frozen=True)
class Buildah:
    """One store; output goes to a log."""

    folder: Path
    driver: str
    log: Path

    def command(self, *arguments: str) -> list[str]:
        """The program with the options that choose the store."""
        store = self.folder / f"store-{self.driver}"
        run = self.folder / f"run-{self.driver}"
        return ["buildah", "--root", str(store), "--runroot", str(run), "--storage-driver", self.driver, *arguments]

    def run(self, *arguments: str) -> None:
        """Runs one command of buildah; raises ClusterError with the end of its log."""
        run_logged(self.command(*arguments), self.log, **ISOLATION)

    def ask(self, *arguments: str) -> str:
        """What one command of buildah answers."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"`buildah {' '.join(arguments[:2])}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def has(self, reference: str) -> bool:
        """Whether the store has an image of this name."""
        command = self.command("inspect", "--type", "image", reference)
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def ensure_base(self, archive: Path) -> None:
        """Puts the base into the store, under the public name that the Containerfiles build from."""
        marker = f"localhost/{archive.stem}:kept"
        if self.has(marker):
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as context:
            (Path(context) / "base.tar").hardlink_to(archive)
            (Path(context) / "Containerfile").write_text(BASE_CONTAINERFILE, "utf-8")
            self.run("build", "--layers=false", "--tag", BASE_REFERENCE, "--tag", marker, context)

    @contextmanager
    def mounted(self, reference: str) -> Iterator[Path]:
        """An image's file system as a folder of this machine."""
        container = self.ask("from", "--pull-never", reference)
        try:
            yield Path(self.ask("mount", container))
        finally:
            self.ask("rm", container)

    def keep(self, reference: str, name: str) -> None:
        """Keeps an image's layers under a name of their own, in place of those kept before."""
        if self.has(reference):
            self.ask("tag", reference, name)
            self.ask("rmi", "--prune")

    def forget(self, reference: str) -> None:
        """Removes an image from the store, and what interrupted builds left there."""
        self.ask("rm", "--all")
        if self.has(reference):
            self.ask("rmi", reference)


def storage_driver(folder: Path) -> str:
    """Names overlay where this file system carries it, which saves a third of the time; else vfs, for anywhere."""
    with tempfile.TemporaryDirectory(dir=folder) as probe:
        parts = {name: Path(probe) / name for name in ("lower", "upper", "work", "merged")}
        for path in parts.values():
            path.mkdir()
        options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return "vfs"
        subprocess.run(["umount", str(parts["merged"])], check=True)
        return "overlay"
