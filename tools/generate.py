"""Writes what is generated: crds/*.yaml and the chart's copy of them. `--check` fails where a file differs instead.

Run it as `python -m tools.generate`.
"""

import argparse
import sys
from pathlib import Path

import yaml

from modelyard.api.crd import crd_of
from modelyard.api.kinds import KINDS
from modelyard.api.names import GROUP

ROOT = Path(__file__).resolve().parent.parent
LIMIT_BYTES = 100_000
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
    files = {}
    for kind in KINDS:
        text = HEADER + yaml.dump(crd_of(kind), Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)
        if len(text.encode()) > LIMIT_BYTES:
            raise ValueError(f"the CRD of {kind.kind_name} has {len(text)} bytes, more than {LIMIT_BYTES}")
        for folder in (ROOT / "crds", ROOT / "charts" / "modelyard" / "files" / "crds"):
            files[folder / f"{GROUP}_{kind.plural}.yaml"] = text
    return files


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
