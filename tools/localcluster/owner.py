"""Who started the cluster of this machine, and for what."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tools.localcluster.errors import ClusterError
from tools.localcluster.paths import CHECKOUT, OWNER_FILE

# What `make cluster` starts, for whoever of the same checkout comes.
FOR_ANYONE = "cluster"


@dataclass(frozen=True)
class Owner:
    """What a cluster was started for, and what another checkout needs to know to end it."""

    checkout: str
    purpose: str
    state: str
    programs: str
    started: str

    def __str__(self) -> str:
        """One clause for messages."""
        return f"{self.checkout} for `{self.purpose}` ({self.started})"


def this_checkout(purpose: str, state: Path, programs: Path) -> Owner:
    """The owner that a cluster started now will have."""
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    return Owner(str(CHECKOUT), purpose, str(state), str(programs), started)


def read_owner(file: Path = OWNER_FILE) -> Owner | None:
    """The recorded owner; None where there is none, or where the record was cut off by a crash."""
    try:
        return Owner(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, TypeError, json.JSONDecodeError):
        return None


def write_owner(owner: Owner, file: Path = OWNER_FILE) -> None:
    """Records the owner, at once or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(owner), indent=2) + "\n", encoding="utf-8")
    unfinished.rename(file)


def shared(running: Owner, wanted: Owner) -> Owner | None:
    """The owner under which a running cluster can be used for a purpose; None where it has to be started anew.

    Raises ClusterError where it belongs to someone else.
    """
    mine = (running.checkout, running.state) == (wanted.checkout, wanted.state)
    agreed = running.purpose == wanted.purpose or FOR_ANYONE in (running.purpose, wanted.purpose)
    if not (mine and agreed):
        raise ClusterError(
            f"this machine's one local cluster is in use by {running}: end it there with `make cluster-down`"
            " (a demo with `make demo-down`), or take it over with MODELYARD_TAKE_OVER=1"
        )
    if running.programs != wanted.programs:
        return None
    return running if wanted.purpose == FOR_ANYONE else replace(running, purpose=wanted.purpose)
