"""The command line of tools.images."""

import argparse
import json
import sys
from collections.abc import Sequence

from tools.images.build import ensure_built
from tools.images.catalog import catalog, select
from tools.images.transfer import load_local, load_with, push, registry_reference
from tools.localcluster.errors import ClusterError
from tools.localcluster.progress import Steps


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line's values; exits with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.images", description="Builds and hands out the images.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, help_text in (
        ("build", run_build, "build what is missing; prints the archives"),
        ("load", run_load, "build, and import into the local cluster or with a command"),
        ("push", run_push, "build, and push to a registry"),
        ("refs", run_refs, "print the references of the current sources as JSON; builds nothing"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument(
            "names",
            nargs="*",
            metavar="IMAGE",
            help="only these (default: all but extra ones, which docs/images.md names)",
        )
        command.set_defaults(run=run)
        if name == "build":
            command.add_argument("--all", action="store_true", help="every image, the extra ones too")
        if name == "load":
            command.add_argument(
                "--with", dest="command", metavar="CMD", help="a command with {archive} or {ref} in it"
            )
        if name in ("push", "refs"):
            command.add_argument("--prefix", required=name == "push", help="registry and path, as reg.example.org/ml")
        if name == "push":
            command.add_argument("--plain-http", action="store_true", help="for a registry without TLS")
    return parser.parse_args(argv)


def run_build(arguments: argparse.Namespace) -> None:
    """Builds, and prints an archive a line."""
    names = tuple(catalog()) if arguments.all else arguments.names
    for archive in ensure_built(select(names), Steps("images")):
        print(archive)


def run_load(arguments: argparse.Namespace) -> None:
    """Builds and hands the images to a cluster."""
    images, steps = select(arguments.names), Steps("images")
    ensure_built(images, steps)
    if arguments.command is None:
        load_local(images, steps)
    else:
        load_with(images, arguments.command, steps)


def run_push(arguments: argparse.Namespace) -> None:
    """Builds and pushes."""
    images, steps = select(arguments.names), Steps("images")
    ensure_built(images, steps)
    push(images, arguments.prefix, ["--tls-verify=false"] if arguments.plain_http else [], steps)


def run_refs(arguments: argparse.Namespace) -> None:
    """Prints which image belongs to the current sources; of the extra ones too."""
    images = select(arguments.names or tuple(catalog()))
    references = {
        image.name: registry_reference(image, arguments.prefix) if arguments.prefix else image.reference
        for image in images
    }
    print(json.dumps(references, indent=2))


def main(argv: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    arguments = parse_arguments(argv)
    try:
        arguments.run(arguments)
    except ClusterError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0
