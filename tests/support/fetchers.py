"""The programs of the fetchers' images, run here."""

import os
from pathlib import Path

_IMAGES = Path(__file__).resolve().parents[2] / "images"


def python_path(image: str) -> str:
    """PYTHONPATH as the image has it: its own package, and the module that all fetchers share."""
    return os.pathsep.join(str(_IMAGES / folder) for folder in (image, "shared"))
