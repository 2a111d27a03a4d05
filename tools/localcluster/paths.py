"""Where things lie: the shared cache, the state of the one cluster, and its short paths for sockets."""

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
CHECKOUT = SOURCES.parent.parent
GO_MODULE = SOURCES / "go"

# There is one cluster per machine, so what says who owns it has one place. Sockets lie there too: their paths may have
# no more than 107 characters, which MODELYARD_STATE could exceed.
RUNTIME = Path("/run/modelyard")
OWNER_FILE = RUNTIME / "owner.json"
CONTAINERD_SOCKET = RUNTIME / "containerd" / "containerd.sock"
# Beside the folder, which comes and goes with the cluster.
CLUSTER_LOCK = Path("/run/modelyard.lock")


def cache_root() -> Path:
    """The folder all checkouts of this user share."""
    if override := os.environ.get("MODELYARD_CACHE"):
        return Path(override).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "modelyard"


def cluster_cache() -> Path:
    """The part of the cache that belongs to the local cluster: binaries and build logs."""
    return cache_root() / "localcluster"


def state_root() -> Path:
    """The folder of the running cluster's state; MODELYARD_STATE moves it."""
    return Path(os.environ.get("MODELYARD_STATE") or "/var/lib/modelyard/localcluster").expanduser().resolve()


@dataclass(frozen=True)
class State:
    """The files of one cluster, by what they are for."""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def marker(self) -> Path:
        """Says that the folder is ours, so that everything in it may be removed."""
        return self.root / ".modelyard-cluster"

    @property
    def pids(self) -> Path:
        """One pid file per process."""
        return self.root / "pids"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the components."""
        return self.root / "config"

    @property
    def audit_log(self) -> Path:
        """The apiserver's audit log, one JSON object a line."""
        return self.root / "audit.log"

    @property
    def image_store(self) -> Path:
        """The images, as containerd keeps them: all that outlives `down`, for importing them takes a minute."""
        return self.root / "containerd"


def current_state() -> State:
    """The state of this machine's one cluster."""
    return State(state_root())
