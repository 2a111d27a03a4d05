"""The images the node has."""

import subprocess
from pathlib import Path

from tools.localcluster.build import programs_folder
from tools.localcluster.errors import ClusterError
from tools.localcluster.paths import CONTAINERD_SOCKET

# Where the kubelet looks.
NAMESPACE = "k8s.io"


def normalized(reference: str) -> str:
    """A reference as containerd keeps it: `team/image` reads as `docker.io/team/image:latest`."""
    first, separator, _ = reference.partition("/")
    if not separator:
        reference = f"docker.io/library/{reference}"
    elif not (set(first) & set(".:") or first == "localhost"):
        reference = f"docker.io/{reference}"
    name = reference.rpartition("/")[2]
    return reference if set(name) & set(":@") else f"{reference}:latest"


def has_image(reference: str) -> bool:
    """Whether a pod of this node can use the image without pulling it; raises where no cluster runs."""
    wanted = normalized(reference)
    return wanted in ctr("images", "list", "--quiet", f"name=={wanted}").split()


def import_archive(archive: Path) -> None:
    """Hands an image archive (OCI or docker format) to the node, under the names it carries."""
    ctr("images", "import", str(archive))


def ctr(*arguments: str) -> str:
    """What containerd's own client answers; raises ClusterError with what it complains about."""
    if not CONTAINERD_SOCKET.exists():
        raise ClusterError("no local cluster is running: start it with `make cluster`")
    program = programs_folder() / "ctr"
    command = [str(program), "--address", str(CONTAINERD_SOCKET), "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"`ctr {' '.join(arguments[:3])}` failed: {done.stderr.strip()}")
    return done.stdout
