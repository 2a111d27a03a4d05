"""Command line: install or uninstall metrics-server on the local cluster, or build it."""

import argparse
import sys

from tools.localcluster.build import ensure_built
from tools.localcluster.errors import ClusterError
from tools.localcluster.paths import current_state
from tools.metrics.build import ensure_program
from tools.metrics.install import install, uninstall
from tools.seldon_standin.install import Kubectl, KubectlError


def main() -> int:
    """Runs one command; 1 when it failed."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.metrics", description=__doc__)
    parser.add_argument("command", choices=["build", "install", "uninstall"])
    command = parser.parse_args().command
    try:
        if command == "build":
            print(ensure_program())
            return 0
        kubectl = Kubectl(str(ensure_built() / "kubectl"), str(current_state().kubeconfig))
        if command == "install":
            install(kubectl)
        else:
            uninstall(kubectl)
    except (KubectlError, ClusterError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
