"""The definitions of Gateway API's kinds, out of the Go module that they are released in."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.localcluster.build import go_environment
from tools.localcluster.errors import ClusterError
from tools.localcluster.paths import cluster_cache
from tools.localcluster.progress import Steps
from tools.localcluster.toolchain import ensure_go

MODULE = "sigs.k8s.io/gateway-api"
GO_MODULE = Path(__file__).with_name("go")
KINDS = ("gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants", "backendtlspolicies")
# Newer controllers watch these as well, and wait for ever where they are missing.
FURTHER_KINDS = ("listenersets", "tcproutes", "tlsroutes", "udproutes")


def definitions() -> list[Path]:
    """Files with the definitions, downloaded where they are missing; go.sum says what they have to hold.

    Raises:
        ClusterError: they cannot be had.
    """
    folder = download(MODULE, GO_MODULE) / "config" / "crd" / "standard"
    files = [folder / f"gateway.networking.k8s.io_{kind}.yaml" for kind in (*KINDS, *FURTHER_KINDS)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ClusterError(f"{MODULE} holds no {', '.join(missing)}: correct the kinds in {__name__}")
    return files


def download(module: str, pinned_in: Path) -> Path:
    """Where a Go module lies once it is downloaded, and checked by the go.mod and go.sum of a folder.

    Raises:
        ClusterError: it cannot be had.
    """
    go = ensure_go(cluster_cache() / "logs" / "gateway-api.log", Steps("gateway"))
    command: Sequence[str] = [str(go), "-C", str(pinned_in), "mod", "download", "-json", module]
    environment = {**os.environ, **go_environment()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in told:
        raise ClusterError(f"downloading {module}: {told.get('Error') or done.stderr.strip()}")
    return Path(told["Dir"])
