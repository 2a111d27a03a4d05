"""Command line: install or uninstall a gateway, or print where Gateway API's definitions lie."""

import argparse
import sys
from collections.abc import Sequence

from tools.gateway import envoy
from tools.gateway.definitions import definitions
from tools.gateway.install import install, uninstall
from tools.images.catalog import catalog
from tools.localcluster.errors import ClusterError
from tools.seldon_standin.install import Kubectl, KubectlError

IMAGES = {"traefik": "traefik", "envoy": "envoy-gateway"}


def main() -> int:
    """Runs one command; 1 when it failed."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "definitions":
            print(*definitions(), sep="\n")
        else:
            _run(arguments)
    except (KubectlError, ClusterError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    kubectl = Kubectl(arguments.kubectl, arguments.kubeconfig, arguments.context)
    helm = _helm(arguments)
    if arguments.command == "install":
        image = arguments.image or catalog()[IMAGES[arguments.gateway]].reference
        if arguments.gateway == "envoy":
            envoy.install(kubectl, helm, image)
        else:
            install(kubectl, image)
    elif arguments.gateway == "envoy":
        envoy.uninstall(kubectl, helm)
    else:
        uninstall(kubectl)


def _helm(arguments: argparse.Namespace) -> Sequence[str]:
    """The command with the options that choose the cluster, as kubectl gets them."""
    kubeconfig = ["--kubeconfig", arguments.kubeconfig] if arguments.kubeconfig else []
    context = ["--kube-context", arguments.context] if arguments.context else []
    return [arguments.helm, *kubeconfig, *context]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.gateway", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("definitions", help="print the files with Gateway API's definitions, downloaded if need be")
    for name, text in (("install", "install Gateway API and a gateway"), ("uninstall", "remove them")):
        command = commands.add_parser(name, help=text)
        command.add_argument("gateway", nargs="?", choices=list(IMAGES), default="traefik", help="default: traefik")
        command.add_argument("--kubectl", default="kubectl", help="the program (default: kubectl on PATH)")
        command.add_argument("--helm", default="helm", help="the program, for envoy (default: helm on PATH)")
        command.add_argument("--kubeconfig", help="the cluster's kubeconfig (default: kubectl's)")
        command.add_argument("--context", help="a context of the kubeconfig")
        if name == "install":
            command.add_argument("--image", help="the gateway's image (default: the one of `python3 -m tools.images`)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
