"""The command line: `python3 -m tools.localcluster <command>`."""

import argparse
import os
import sys
from collections.abc import Sequence

from tools.localcluster import cluster
from tools.localcluster.build import ensure_built
from tools.localcluster.errors import ClusterError
from tools.localcluster.owner import FOR_ANYONE
from tools.localcluster.paths import current_state


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on, or `make cluster-down` to undo", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.localcluster", description="A real Kubernetes node here.")
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("build", help="compile the cluster's programs").set_defaults(run=_build)
    up = commands.add_parser("up", help="start the cluster, or find it running")
    up.add_argument("--purpose", default=FOR_ANYONE, help="what it is for; two purposes do not share a cluster")
    up.add_argument("--take-over", action="store_true", help="end a cluster that somebody else started")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="end the cluster, whoever started it").set_defaults(run=_down)
    commands.add_parser("release", help="let other purposes use the running cluster").set_defaults(run=_release)
    commands.add_parser("status", help="print what runs").set_defaults(run=_status)
    commands.add_parser("kubeconfig", help="print the kubeconfig's path").set_defaults(run=_kubeconfig)
    commands.add_parser("bin", help="print the folder of kubectl, helm and the rest").set_defaults(run=_build)
    return parser


def _build(_: argparse.Namespace) -> None:
    print(ensure_built())


def _up(options: argparse.Namespace) -> None:
    take_over = options.take_over or os.environ.get("MODELYARD_TAKE_OVER") == "1"
    cluster.up(cluster.Request(options.purpose, take_over))


def _down(_: argparse.Namespace) -> None:
    cluster.down()


def _release(_: argparse.Namespace) -> None:
    cluster.release()


def _status(_: argparse.Namespace) -> None:
    print(cluster.status())


def _kubeconfig(_: argparse.Namespace) -> None:
    kubeconfig = current_state().kubeconfig
    if not kubeconfig.exists():
        raise ClusterError("no local cluster is up: start one with `make cluster`")
    print(kubeconfig)
