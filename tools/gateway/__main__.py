"""Command line: install or uninstall the gateway, or print where Gateway API's definitions lie."""

import argparse
import sys

from tools.gateway.definitions import definitions
from tools.gateway.install import install, uninstall
from tools.images.catalog import catalog
from tools.localcluster.errors import ClusterError
from tools.seldon_standin.install import Kubectl, KubectlError


def main() -> int:
    """Runs one command; 1 when it failed."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "definitions":
            print(*definitions(), sep="\n")
            return 0
        kubectl = Kubectl(arguments.kubectl, arguments.kubeconfig, arguments.context)
        if arguments.command == "install":
            install(kubectl, arguments.image or catalog()["traefik"].reference)
        else:
            uninstall(kubectl)
    except (KubectlError, ClusterError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.gateway", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("definitions", help="print the files with Gateway API's definitions, downloaded if need be")
    for name, text in (("install", "install Gateway API and Traefik"), ("uninstall", "remove them")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--kubectl", default="kubectl", help="the program (default: kubectl on PATH)")
        command.add_argument("--kubeconfig", help="the cluster's kubeconfig (default: kubectl's)")
        command.add_argument("--context", help="a context of the kubeconfig")
        if name == "install":
            command.add_argument("--image", help="Traefik's image (default: the one of `python3 -m tools.images`)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
