"""The programs of the fetchers' images, run here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.kube import Manifest

_IMAGES = Path(__file__).resolve().parents[2] / "images"
_OPTIONS_WITH_FOLDERS = {"--to"}


def python_path(image: str) -> str:
    """PYTHONPATH as the image has it: its own package, and the module that all fetchers share."""
    return os.pathsep.join(str(_IMAGES / folder) for folder in (image, "shared"))


def run_model_fetcher(container: Manifest, folder: Path) -> dict[str, Any]:
    """What a container of the model-fetcher image tells when it ends, run here with its arguments and variables."""
    log = folder / "termination-log"
    arguments = [
        str(folder / "volume") if before in _OPTIONS_WITH_FOLDERS else text for before, text in _pairs(container)
    ]
    told = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": python_path("model-fetcher"),
        "MODELYARD_TERMINATION_LOG": str(log),
    }
    command = [sys.executable, "-m", "modelyard_fetch", *arguments]
    subprocess.run(command, env=environment | told, check=False, timeout=60)
    found: dict[str, Any] = json.loads(log.read_text())
    return found


def _pairs(container: Manifest) -> list[tuple[str, str]]:
    """Each argument with the one before it."""
    arguments = container["args"]
    return list(zip(["", *arguments], arguments, strict=False))
