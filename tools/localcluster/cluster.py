"""The machine's one cluster: up, down, and who has it."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tools.localcluster.build import ensure_built
from tools.localcluster.checks import check_machine, check_network, check_room
from tools.localcluster.errors import ClusterError
from tools.localcluster.leftovers import claim, end_processes, sweep
from tools.localcluster.locks import exclusive
from tools.localcluster.owner import FOR_ANYONE, Owner, read_owner, shared, this_checkout, write_owner
from tools.localcluster.packages import NODE_PACKAGES, install_missing
from tools.localcluster.paths import CLUSTER_LOCK, State, cluster_cache, current_state
from tools.localcluster.processes import ProcessFolder
from tools.localcluster.progress import Steps
from tools.localcluster.start import PROGRAMS, NodeStart, new_setup

BUSY = "waiting for another command that changes the cluster"


@dataclass(frozen=True)
class Request:
    """What a cluster is wanted for. `take_over` ends one that somebody else started."""

    purpose: str = FOR_ANYONE
    take_over: bool = False


def apiserver_port() -> int:
    """The apiserver's port; MODELYARD_API_PORT changes it."""
    text = os.environ.get("MODELYARD_API_PORT") or "6443"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ClusterError(f"MODELYARD_API_PORT is {text!r}: give it a port between 1 and 65535")
    return int(text)


def up(request: Request) -> State:
    """Brings the cluster up, or finds it up; raises ClusterError where somebody else uses it."""
    check_machine()
    state = current_state()
    steps = Steps("cluster")
    programs = ensure_built()
    wanted = this_checkout(request.purpose, state.root, programs)
    with exclusive(CLUSTER_LOCK, steps, BUSY):
        running = _running()
        usable = running and _shared(running, wanted, request)
        if usable:
            write_owner(usable)
        else:
            _start_anew(running, wanted, steps)
    steps.say(f"the cluster is up; kubeconfig: {state.kubeconfig}")
    return state


def down() -> None:
    """Ends this machine's cluster, whoever started it, and leaves only images behind."""
    check_machine()
    steps = Steps("cluster")
    with exclusive(CLUSTER_LOCK, steps, BUSY), steps.step("taking the cluster down"):
        _sweep_all(read_owner())


def release() -> None:
    """Gives a cluster of this checkout back to whoever of it comes next."""
    with exclusive(CLUSTER_LOCK, Steps("cluster"), BUSY):
        owner = read_owner()
        if owner is not None:
            write_owner(replace(owner, purpose=FOR_ANYONE))


def status() -> str:
    """What runs, a line each."""
    owner = read_owner()
    if owner is None:
        return "no cluster"
    processes = _processes(State(Path(owner.state)))
    lines = [f"{name:<24} {_described(processes.pid(name))}" for name in PROGRAMS]
    return "\n".join([f"started by {owner}", f"state in {owner.state}", *lines])


def is_up() -> bool:
    """Whether every process of the machine's cluster runs."""
    owner = read_owner()
    return owner is not None and _is_whole(State(Path(owner.state)))


def _described(pid: int | None) -> str:
    return f"pid {pid}" if pid else "not running"


def _processes(state: State) -> ProcessFolder:
    return ProcessFolder(state.pids, state.logs)


def _running() -> Owner | None:
    """The owner of a cluster of which at least something runs."""
    owner = read_owner()
    if owner is None:
        return None
    processes = _processes(State(Path(owner.state)))
    return owner if any(processes.is_running(name) for name in PROGRAMS) else None


def _is_whole(state: State) -> bool:
    processes = _processes(state)
    return all(processes.is_running(name) for name in PROGRAMS)


def _shared(running: Owner, wanted: Owner, request: Request) -> Owner | None:
    """The owner to go on with; None where the running cluster has to make room for a new one."""
    try:
        agreed = shared(running, wanted)
    except ClusterError:
        if request.take_over:
            return None
        raise
    return agreed if _is_whole(State(Path(running.state))) else None


def _start_anew(running: Owner | None, wanted: Owner, steps: Steps) -> None:
    state = State(Path(wanted.state))
    install_missing(NODE_PACKAGES, cluster_cache() / "logs" / "packages.log", steps)
    with steps.step("clearing away what an earlier cluster left" if running is None else f"ending that of {running}"):
        _sweep_all(running or read_owner())
    check_room(state)
    claim(state)
    check_network(apiserver_port())
    # Before anything starts, so that whatever happens next can be undone.
    write_owner(wanted)
    setup = new_setup(Path(wanted.programs), state, apiserver_port())
    try:
        NodeStart(setup, state, _processes(state), steps).run()
    except ClusterError:
        # Half a cluster is of no use to anyone; what it logged is.
        end_processes(state)
        raise


def _sweep_all(owner: Owner | None) -> None:
    roots = {current_state().root, *([Path(owner.state)] if owner else [])}
    for root in sorted(roots):
        sweep(State(root))
