"""Writes what is generated: crds/*.yaml, the chart's copy of them, and what the chart knows of the model server images.

`--check` writes nothing and fails where a file differs.

Run it as `python -m tools.generate`.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.crd import crd_of
from modelyard.api.kinds import KINDS
from modelyard.api.names import GROUP
from tools.images.catalog import catalog

ROOT = Path(__file__).resolve().parent.parent
CHART_FILES = ROOT / "charts" / "modelyard" / "files"
LIMIT_BYTES = 100_000
OWN = "io.modelyard."
FLAVOURS = f"{OWN}flavours"
HEADER = "# Generated from operator/modelyard/api by `make generate`; do not edit.\n"


class _Plain(yaml.SafeDumper):
    """Writes repeated values out, never as anchors and aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def generated_files() -> dict[Path, str]:
    """Every generated file's path and content.

    Raises:
        ValueError: a CRD is too large to be applied comfortably.
    """
    files = {CHART_FILES / "server-images.json": _server_images()}
    for kind in KINDS:
        text = HEADER + yaml.dump(crd_of(kind), Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)
        if len(text.encode()) > LIMIT_BYTES:
            raise ValueError(f"the CRD of {kind.kind_name} has {len(text)} bytes, more than {LIMIT_BYTES}")
        for folder in (ROOT / "crds", CHART_FILES / "crds"):
            files[folder / f"{GROUP}_{kind.plural}.yaml"] = text
    return files


def _server_images() -> str:
    """What each model server image can run, from the labels of its Containerfile: the operator asks no registry."""
    facts = {name: described_by(image.labels) for name, image in catalog().items() if FLAVOURS in image.labels}
    return json.dumps(facts, indent=2) + "\n"


def described_by(labels: Mapping[str, str]) -> dict[str, Any]:
    """One image's facts as the operator reads them."""
    told = {key.removeprefix(OWN): value for key, value in labels.items() if key.startswith(OWN)}
    return {
        "python": told.pop("python"),
        "mlflow": told.pop("mlflow"),
        "flavours": told.pop("flavours").split(),
        "libraries": told,
    }


def main() -> int:
    """Write or check; the exit code says whether all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    is_check = parser.parse_args().check
    stale = [path for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if is_check:
            print(f"{path.relative_to(ROOT)} is not what `make generate` makes: run it and commit")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(generated_files()[path])
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
