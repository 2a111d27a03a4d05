"""The image that holds a pod's namespaces open, packed without any image builder."""

import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

IMAGE = "localhost/modelyard/pause:1"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_archive(program: Path, archive: Path) -> None:
    """Writes the image as an archive in docker's format: one layer with one static program."""
    layer = _tar({"pause": program.read_bytes()})
    config = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]
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
