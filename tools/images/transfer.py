"""Hands built images to where pods find them: the local cluster, a cluster one already has, or a registry."""

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.images.build import archive_of, images_cache
from tools.images.buildah import Buildah, storage_driver
from tools.images.catalog import PREFIX, Image
from tools.localcluster.errors import ClusterError
from tools.localcluster.images import has_image, import_archive
from tools.localcluster.locks import exclusive
from tools.localcluster.progress import Steps


def load_local(images: Sequence[Image], steps: Steps) -> None:
    """Imports into the local cluster what it does not have."""
    for image in images:
        if not has_image(image.reference):
            with steps.step(f"importing {image.name} into the local cluster"):
                import_archive(archive_of(image))


def load_with(images: Sequence[Image], template: str, steps: Steps) -> None:
    """Runs somebody's command once per image: `kind load image-archive {archive}`, `docker load -i {archive}`."""
    for image in images:
        command = fill_in(template, archive_of(image), image.reference)
        with steps.step(f"loading {image.name}: {shlex.join(command)}"):
            code = subprocess.run(command, check=False).returncode
        if code != 0:
            raise ClusterError(
                f"`{shlex.join(command)}` failed with {code}: check the command that was given to load with"
            )


def fill_in(template: str, archive: Path, reference: str) -> list[str]:
    """The command's words. Each placeholder stays within its word; without any, the archive comes last."""
    words = shlex.split(template)
    if not words:
        raise ClusterError(
            "the command to load images with is empty: give one such as 'kind load image-archive {archive}'"
        )
    values = {"{archive}": str(archive), "{ref}": reference}
    if not any(placeholder in word for word in words for placeholder in values):
        words.append("{archive}")
    for placeholder, value in values.items():
        words = [word.replace(placeholder, value) for word in words]
    return words


def registry_reference(image: Image, prefix: str) -> str:
    """An image's name in somebody's registry."""
    return prefix.rstrip("/") + image.reference.removeprefix(PREFIX)


def push(images: Sequence[Image], prefix: str, options: Sequence[str], steps: Steps) -> None:
    """Pushes to a registry, with the log-in of `buildah login` or of Docker."""
    folder = images_cache()
    # The store is shared with builds, which clean up behind themselves.
    with exclusive(folder / "build.lock", steps, "waiting for a build of images"):
        for image in images:
            target = registry_reference(image, prefix)
            buildah = Buildah(folder, storage_driver(folder), folder / "logs" / f"push-{image.name}.log")
            with steps.step(f"pushing {target}"):
                push_one(image, target, options, buildah)


def push_one(image: Image, target: str, options: Sequence[str], buildah: Buildah) -> None:
    """Pushes one archive, by way of buildah's store."""
    try:
        buildah.run("pull", f"oci-archive:{archive_of(image)}:{image.reference}")
        buildah.run("push", *options, image.reference, f"docker://{target}")
    finally:
        buildah.forget(image.reference)
