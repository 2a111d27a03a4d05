"""Command line: install, uninstall or show the stand-in."""

import argparse
import json
import sys

from tools.seldon_standin.install import Kubectl, KubectlError, install, uninstall
from tools.seldon_standin.manifests import standin_manifests


def main() -> int:
    """Runs one command; 1 when kubectl failed."""
    arguments = _parser().parse_args()
    if arguments.command == "manifests":
        json.dump(
            {"apiVersion": "v1", "kind": "List", "items": standin_manifests(arguments.image)}, sys.stdout, indent=2
        )
        return 0
    kubectl = Kubectl(arguments.kubectl, arguments.kubeconfig, arguments.context)
    try:
        if arguments.command == "install":
            install(kubectl, arguments.image)
        else:
            uninstall(kubectl)
    except KubectlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.seldon_standin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("install", "install the stand-in unless Seldon is there"),
        ("uninstall", "remove the stand-in"),
        ("manifests", "print the objects (the CRD is crd.yaml beside this file)"),
    ):
        command = commands.add_parser(name, help=text)
        if name != "uninstall":
            command.add_argument(
                "--image", required=True, help="the operator's image: it has Python, kopf and kubernetes"
            )
        if name != "manifests":
            command.add_argument("--kubectl", default="kubectl", help="the program (default: kubectl on PATH)")
            command.add_argument("--kubeconfig", help="the cluster's kubeconfig (default: kubectl's)")
            command.add_argument("--context", help="a context of the kubeconfig")
    return parser


if __name__ == "__main__":
    sys.exit(main())
