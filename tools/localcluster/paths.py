"""Where things lie: the shared cache, the state of the one cluster, and its short paths for sockets."""

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
CHECKOUT = SOURCES.parent.parent
GO_MODULE = SOURCES / "go"

# A socket's path may have 107 characters, so sockets do not follow MODELYARD_STATE. One cluster per machine: one folder.
RUNTIME = Path("/run/modelyard")


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
    return Path(os.environ.get("MODELYARD_STATE") or "/var/lib/modelyard/localcluster").resolve()


@dataclass(frozen=True)
class State:
    """The files of one cluster, by what they are for."""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def owner_file(self) -> Path:
        """Which checkout started the cluster, and for what."""
        return self.root / "owner.json"

    @property
    def lock_file(self) -> Path:
        """Held while a command changes the cluster. Beside the folder, which may be removed."""
        return self.root.with_name(self.root.name + ".lock")

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
        """containerd's images. The only part that outlives `down`: importing them again costs a minute."""
        return self.root / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd and `ctr` meet."""
        return RUNTIME / "containerd" / "containerd.sock"


def current_state() -> State:
    """The state of this machine's one cluster."""
    return State(state_root())
