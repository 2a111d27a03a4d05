"""Builds what is missing: one archive per image, named by a hash over everything that goes into it."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.images.archive import name_image, pack, prune
from tools.images.base import ensure_base, owner_is_root
from tools.images.buildah import Buildah, storage_driver
from tools.images.catalog import Image, version
from tools.images.host_trust import Loan, leftovers, lend, pip_settings
from tools.images.programs import compile_into
from tools.localcluster.build import check_disk
from tools.localcluster.errors import ClusterError
from tools.localcluster.locks import exclusive
from tools.localcluster.packages import install_missing
from tools.localcluster.paths import cache_root
from tools.localcluster.progress import Steps

PACKAGES = ("buildah", "mmdebstrap")
NEEDED_GIB = 5
# Faster than gzip and a quarter smaller; containerd and Docker have read it for years.
COMPRESSION = ("--compression-format", "zstd", "--compression-level", "3")


def images_cache() -> Path:
    """The part of the cache that belongs to images."""
    return cache_root() / "images"


def archive_of(image: Image) -> Path:
    """Where an image's archive is once it is built: present means complete."""
    return images_cache() / f"{image.name}-{image.key}.tar"


def ensure_built(images: Sequence[Image], steps: Steps) -> list[Path]:
    """The archives of the images, built where they are missing."""
    folder = images_cache()
    if any(not archive_of(image).exists() for image in images):
        with exclusive(folder / "build.lock", steps, "waiting for another build of images"):
            missing = [image for image in images if not archive_of(image).exists()]
            if missing:
                build(missing, folder, steps)
    for image in images:
        prune(folder, image.name, archive_of(image))
    return [archive_of(image) for image in images]


def build(images: Sequence[Image], folder: Path, steps: Steps) -> None:
    """Builds images one after the other; the caller holds the lock."""
    if not owner_is_root():
        raise ClusterError(
            "images are built as root: run this with sudo, or build them with your own tool, see docs/images.md"
        )
    check_disk(folder, NEEDED_GIB, "to build the images")
    logs = folder / "logs"
    install_missing(PACKAGES, logs / "packages.log", steps)
    base = ensure_base(folder, steps)
    driver = storage_driver(folder)
    Buildah(folder, driver, logs / "base.log").ensure_base(base)
    for image in images:
        log = logs / f"{image.name}-{image.key}.log"
        log.unlink(missing_ok=True)
        with steps.step(f"building {image.name} (log: {log})"):
            build_one(image, Buildah(folder, driver, log), archive_of(image), steps)


def build_one(image: Image, buildah: Buildah, archive: Path, steps: Steps) -> None:
    """Builds one image and writes its archive."""
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=archive.parent) as scratch:
        loan = lend(Path(scratch) / "loan", pip_settings())
        context = stage(image, Path(scratch) / "context")
        compile_into(context, image, buildah.log, steps)
        if replace(image).key != image.key:
            raise ClusterError(f"a file of the image {image.name} changed while it was built: run the command again")
        try:
            buildah.run(*build_arguments(image, context, loan))
            check_returned(image, buildah, loan)
            layout = Path(scratch) / "layout"
            buildah.run("push", *COMPRESSION, image.reference, f"oci:{layout}")
        finally:
            if image.keeps_layers:
                buildah.keep(image.reference, f"localhost/layers/{image.name}:kept")
            buildah.forget(image.reference)
        name_image(layout, [image.reference, image.release_reference])
        pack(layout, archive)


def build_arguments(image: Image, context: Path, loan: Loan) -> list[str]:
    """The arguments of buildah for one image."""
    names = ("--tag", image.reference, "--build-arg", f"VERSION={version(image.checkout)}")
    containerfile = context / image.containerfile.relative_to(image.context)
    return [
        "build",
        f"--layers={str(image.keeps_layers).lower()}",
        "--pull-never",
        *names,
        *loan.arguments(),
        "--file",
        str(containerfile),
        str(context),
    ]


def stage(image: Image, folder: Path) -> Path:
    """A folder with exactly the files that the image's key covers, so that nothing else can get in."""
    for file in image.files():
        target = folder / file.relative_to(image.context)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image.checkout / file, target)
    return folder


def check_returned(image: Image, buildah: Buildah, loan: Loan) -> None:
    """Raises ClusterError where an image kept something of this machine."""
    with buildah.mounted(image.reference) as root:
        kept = leftovers(root, loan)
        if kept:
            names = ", ".join(str(path.relative_to(root)) for path in kept)
            raise ClusterError(f"the image {image.name} would carry settings of this machine: {names}")
