"""What a cluster leaves on the machine, running or killed: finds it and takes it away."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from tools.localcluster import network
from tools.localcluster.errors import ClusterError
from tools.localcluster.node import NODE_NAME
from tools.localcluster.paths import CONTAINERD_SOCKET, RUNTIME, State
from tools.localcluster.processes import ProcessFolder, start_ticks, wait_until

CGROUPS = Path("/sys/fs/cgroup")
POD_CGROUP = "kubepods"
# Where libcni and the kubelet write, whatever they are told.
CNI_RESULTS = Path("/var/lib/cni/results")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
LOG_LINKS = Path("/var/log/containers")
# The kubelet makes sockets below, and a socket's path may have 107 characters.
MAXIMAL_PATH = 70


def mounts_below(mounts: str, folders: Iterable[Path]) -> list[str]:
    """The mount points in the text of /proc/mounts that lie in one of the folders, deepest first."""
    points = [_unescaped(line.split(" ")[1]) for line in mounts.splitlines() if line.strip()]
    roots = [f"{folder}/" for folder in folders]
    inside = [point for point in points if any(f"{point}/".startswith(root) for root in roots)]
    # Of two mounts on one point the later lies on top.
    inside.reverse()
    return sorted(inside, key=lambda point: -point.count("/"))


def _unescaped(field: str) -> str:
    """The kernel writes blanks, tabs, newlines and backslashes as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def pod_cgroups(root: Path = CGROUPS) -> list[Path]:
    """The pods' cgroup in every hierarchy (v1) or in the only one (v2)."""
    return sorted(path for path in (root / POD_CGROUP, *root.glob(f"*/{POD_CGROUP}")) if path.is_dir())


def is_shim(command_line: bytes) -> bool:
    """Whether a process's command line is that of a shim of this cluster's containerd."""
    words = command_line.split(b"\0")
    return words[0].endswith(b"containerd-shim-runc-v2") and str(CONTAINERD_SOCKET).encode() in words


def claim(state: State) -> None:
    """Takes a folder for the state; raises ClusterError where it holds somebody's files, or its path is too long."""
    if len(str(state.root)) > MAXIMAL_PATH:
        raise ClusterError(
            f"{state.root} is too long: give MODELYARD_STATE a path of at most {MAXIMAL_PATH} characters"
        )
    state.root.mkdir(parents=True, exist_ok=True)
    if not state.marker.exists() and any(state.root.iterdir()):
        raise ClusterError(f"{state.root} holds other files: give MODELYARD_STATE a folder that is empty or not there")
    state.marker.touch()


def has_leftovers(state: State) -> bool:
    """Whether there is any sign of a cluster; without one, Kubernetes' rules and cgroups are someone else's."""
    return RUNTIME.exists() or (state.marker.exists() and state.pids.exists()) or network.bridge_exists()


def sweep(state: State) -> None:
    """Ends what runs and removes what is left, but for the image store; no error where there is nothing."""
    if not has_leftovers(state):
        return
    end_processes(state)
    _unmount([state.root, RUNTIME])
    network.remove_links()
    network.remove_rules()
    for cgroup in pod_cgroups():
        _remove_cgroup(cgroup)
    _remove_files(state)


def end_processes(state: State) -> None:
    """Kills what the cluster started, containers included; its files stay."""
    processes = ProcessFolder(state.pids, state.logs)
    # The kubelet first: it would start containers again.
    for name in sorted(processes.names(), key=lambda name: name != "kubelet"):
        processes.kill(name)
    _kill(_shims())
    for cgroup in pod_cgroups():
        _kill(_members(cgroup))


def _shims() -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command_line = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if is_shim(command_line):
            found.append(int(process.name))
    return found


def _members(cgroup: Path) -> list[int]:
    files = [cgroup / "cgroup.procs", *cgroup.rglob("cgroup.procs")]
    return [int(pid) for file in files if file.exists() for pid in file.read_text(encoding="ascii").split()]


def _kill(pids: Iterable[int]) -> None:
    started = {pid: ticks for pid in pids if (ticks := start_ticks(pid)) is not None}
    for pid in started:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not any(start_ticks(pid) == ticks for pid, ticks in started.items()), "processes to end", 20)


def _unmount(folders: list[Path]) -> None:
    mounts = Path("/proc/mounts")
    for point in mounts_below(mounts.read_text(encoding="utf-8"), folders):
        # Lazily: a process outside may still look into it.
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    if left := mounts_below(mounts.read_text(encoding="utf-8"), folders):
        # Files are removed next: never those of somebody's folder that is still mounted there.
        raise ClusterError(f"{left[0]} cannot be unmounted: find out who uses it with `fuser -vm {left[0]}`")


def _remove_cgroup(cgroup: Path) -> None:
    folders = [folder for folder in cgroup.rglob("*") if folder.is_dir()]
    for folder in [*sorted(folders, key=lambda path: -len(path.parts)), cgroup]:
        wait_until(partial(_removed, folder), f"the cgroup {folder} to become empty", timeout_seconds=10)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        # Its processes are dead; the kernel takes a moment to take them out.
        return False
    return True


def _remove_files(state: State) -> None:
    for file in [*CNI_RESULTS.glob(f"{NODE_NAME}-*"), *DEVICE_PLUGINS.glob("*")]:
        file.unlink()
    for link in LOG_LINKS.glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{state.root}/"):
            link.unlink()
    for folder in (LOG_LINKS, CNI_RESULTS, CNI_RESULTS.parent, DEVICE_PLUGINS, DEVICE_PLUGINS.parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    for path in state.root.glob("*") if state.marker.exists() else []:
        if path not in (state.image_store, state.marker):
            _remove(path)
    # Last, because it is what says that there is something to remove.
    _remove(RUNTIME)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
