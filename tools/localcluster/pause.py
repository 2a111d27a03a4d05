"""Images of one static program, packed without any image builder: the node needs one before it can have others."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

# Holds a pod's namespaces open.
IMAGE = "localhost/modelyard/pause:1"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_archive(archive: Path, image: str, program: Path) -> None:
    """Writes an image as an archive in docker's format: one layer with the program in its root folder."""
    layer = _tar({program.name: program.read_bytes()})
    config = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [image], "Layers": ["layer.tar"]}]
    files = {"manifest.json": _encoded(manifest), "config.json": _encoded(config), "layer.tar": layer}
    archive.write_bytes(_tar(files))


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o555
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
