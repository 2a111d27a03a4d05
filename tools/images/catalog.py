"""Which images there are, what goes into each, and the names that follow from it."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tools.images.base import base_key
from tools.localcluster.errors import ClusterError
from tools.localcluster.paths import CHECKOUT

# With the host, because that is how a kubelet and containerd complete shorter names.
PREFIX = "docker.io/modelyard"
# Part of every key: raise it where this tool builds differently from the same sources.
RECIPE = "1"
ABOUT = Path("operator/modelyard/__about__.py")
IGNORED_NAMES = ("__pycache__", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True)
class GoProgram:
    """A program that is compiled before its image is built, from the go.mod in the image's context."""

    name: str
    package: str


@dataclass(frozen=True)
class Image:
    """One image; all paths lie below the checkout, the inputs below the context."""

    name: str
    context: Path
    containerfile: Path
    inputs: tuple[Path, ...]
    checkout: Path = CHECKOUT
    is_extra: bool = False
    """Whether neither the demo nor a deployment with defaults needs it: it is built when it is named."""
    keeps_layers: bool = False
    """Whether its libraries are kept in the store, so that a change of its code is built in seconds."""
    program: GoProgram | None = None

    def files(self) -> list[Path]:
        """Every file that the Containerfile can copy, and itself; below the checkout, sorted."""
        found = [self.containerfile]
        for start in self.inputs:
            path = self.checkout / start
            below = sorted(path.rglob("*")) if path.is_dir() else [path]
            found += [file.relative_to(self.checkout) for file in below if file.is_file() and not is_ignored(file)]
        return sorted(set(found))

    @cached_property
    def key(self) -> str:
        """Twelve digits that change with anything that goes into the image."""
        digest = hashlib.sha256(f"{RECIPE}\0{base_key()}\0{version(self.checkout)}".encode())
        if self.program:
            digest.update(f"\0{self.program!r}".encode())
        for file in self.files():
            path = self.checkout / file
            mode = "x" if path.stat().st_mode & 0o100 else "-"
            digest.update(f"\0{file.as_posix()}\0{mode}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:12]

    @property
    def reference(self) -> str:
        """The name that only these sources have."""
        return f"{self.release_reference}-{self.key}"

    @property
    def release_reference(self) -> str:
        """The name that people use, which moves while a version is in the making."""
        return f"{PREFIX}/{self.name}:{version(self.checkout)}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels that its Containerfile gives it."""
        text = (self.checkout / self.containerfile).read_text("utf-8")
        return dict(re.findall(r"\b([a-z][\w-]*(?:\.[\w-]+)+)=\"([^\"]*)\"", text))


def is_ignored(path: Path) -> bool:
    """Whether a run of some tool left it behind."""
    return any(part in IGNORED_NAMES for part in path.parts) or path.suffix == ".pyc"


def version(checkout: Path = CHECKOUT) -> str:
    """The release's number; read as text, because this runs before the package's dependencies are installed."""
    text = (checkout / ABOUT).read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise ClusterError(f'{ABOUT} has no line __version__ = "..."')
    return found.group(1)


def catalog(checkout: Path = CHECKOUT) -> dict[str, Image]:
    """Every image by its name. The operator comes first: its sources are the most likely to change during a build."""
    operator_inputs = (Path("requirements/operator.txt"), Path("operator/modelyard"))
    operator = Image("operator", Path(), Path("operator/Containerfile"), operator_inputs, checkout, keeps_layers=True)
    fetchers = [reporting_image(name, checkout) for name in ("model-fetcher", "source-fetcher")]
    others = [folder_image(name, checkout) for name in ("mlflow", "trainer", "model-server", "traefik")]
    seldon = replace(reporting_image("model-server-seldon", checkout), keeps_layers=True, is_extra=True)
    extras = (seldon, pytorch_image(checkout), envoy_image(checkout))
    return {image.name: image for image in (operator, *fetchers, *others, *extras)}


def reporting_image(name: str, checkout: Path) -> Image:
    """An image with the way in which all such tell the kubelet what became of their work."""
    folder = Path("images") / name
    return Image(name, Path("images"), folder / "Containerfile", (folder, Path("images/shared")), checkout)


def pytorch_image(checkout: Path) -> Image:
    """The trainer for PyTorch, with what Python imports before a script in the other trainer too."""
    folder, trainer = Path("images/trainer-pytorch"), Path("images/trainer")
    modules = (f"modelyard_{name}.{ending}" for name in ("rank", "stop") for ending in ("py", "pth"))
    inputs = (folder, *(trainer / module for module in modules))
    return Image(folder.name, Path("images"), folder / "Containerfile", inputs, checkout, is_extra=True)


def envoy_image(checkout: Path) -> Image:
    """Envoy Gateway, compiled from its module, and Envoy from its wheel."""
    folder = Path("images/envoy-gateway")
    program = GoProgram("envoy-gateway", "github.com/envoyproxy/gateway/cmd/envoy-gateway")
    inputs = tuple(folder / name for name in ("requirements.txt", "go.mod", "go.sum"))
    return Image(folder.name, folder, folder / "Containerfile", inputs, checkout, is_extra=True, program=program)


def folder_image(name: str, checkout: Path) -> Image:
    """An image whose folder below images/ is all that it needs."""
    folder = Path("images") / name
    return Image(name, folder, folder / "Containerfile", (folder,), checkout)


def select(names: Sequence[str]) -> list[Image]:
    """The images of these names, without names all but extra ones; raises ClusterError for a name that no image has."""
    known = catalog()
    for name in names:
        if name not in known:
            raise ClusterError(f"there is no image {name!r}; there are: {', '.join(known)}")
    return [image for image in known.values() if (image.name in names if names else not image.is_extra)]
