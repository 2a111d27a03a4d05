"""The command line: `python3 -m tools.localcluster <command>`."""

import argparse
import sys
from collections.abc import Sequence

from tools.localcluster.build import ensure_built
from tools.localcluster.errors import ClusterError


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.localcluster", description=__doc__)
    commands = parser.add_subparsers(required=True)
    build = commands.add_parser("build", help="compile the cluster's programs, where they are missing")
    build.set_defaults(run=lambda _: print(ensure_built()))
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
