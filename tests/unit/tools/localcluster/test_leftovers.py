"""What counts as a leftover of the cluster, and what never does."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.localcluster.errors import ClusterError
from tools.localcluster.leftovers import claim, is_shim, mounts_below, pod_cgroups
from tools.localcluster.paths import State

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /state/kubelet/pods/1/volumes/token tmpfs rw 0 0
tmpfs /state/kubelet/pods/1/volumes/with\\040blank tmpfs rw 0 0
/dev/vda /state/kubelet ext4 rw 0 0
overlay /run/modelyard/rootfs overlay rw 0 0
tmpfs /statements tmpfs rw 0 0
"""
FOLDERS = [Path("/state"), Path("/run/modelyard")]


def test_mounts_below_the_folders_are_found_deepest_first() -> None:
    found = mounts_below(MOUNTS, FOLDERS)
    assert found.index("/state/kubelet") > found.index("/state/kubelet/pods/1/volumes/token")
    assert "/run/modelyard/rootfs" in found


def test_blanks_in_mount_points_are_decoded() -> None:
    assert "/state/kubelet/pods/1/volumes/with blank" in mounts_below(MOUNTS, FOLDERS)


def test_a_folder_whose_name_merely_starts_alike_is_no_leftover() -> None:
    assert not {"/statements", "/run", "/"} & set(mounts_below(MOUNTS, FOLDERS))


def test_of_two_mounts_on_one_point_both_are_found() -> None:
    twice = "a /state/x tmpfs rw 0 0\nb /state/x tmpfs rw 0 0\n"
    assert mounts_below(twice, FOLDERS) == ["/state/x", "/state/x"]


@pytest.mark.parametrize("layout", [["kubepods"], ["cpu/kubepods", "memory/kubepods"]])
def test_pods_cgroups_are_found_in_both_versions_of_cgroups(tmp_path: Path, layout: list[str]) -> None:
    for folder in [*layout, "system.slice", "cpu/other"]:
        (tmp_path / folder).mkdir(parents=True)
    assert pod_cgroups(tmp_path) == [tmp_path / folder for folder in layout]


def test_a_shim_is_known_by_the_cluster_it_reports_to() -> None:
    ours = b"/bin/containerd-shim-runc-v2\0-id\0x\0-address\0/run/modelyard/containerd/containerd.sock\0"
    theirs = b"/bin/containerd-shim-runc-v2\0-id\0x\0-address\0/run/containerd/containerd.sock\0"
    assert is_shim(ours)
    assert not is_shim(theirs)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def test_a_folder_with_somebodys_files_is_never_taken_for_the_state(folder: Path) -> None:
    (folder / "thesis.tex").touch()
    with pytest.raises(ClusterError, match=f"{folder} holds other files: give MODELYARD_STATE"):
        claim(State(folder))


def test_a_path_too_long_for_sockets_is_refused(folder: Path) -> None:
    with pytest.raises(ClusterError, match="MODELYARD_STATE a path of at most 70 characters"):
        claim(State(folder / ("x" * 70)))


def test_a_folder_taken_once_can_be_taken_again(folder: Path) -> None:
    state = State(folder / "new")
    claim(state)
    (state.root / "containerd").mkdir()
    claim(state)
    assert state.marker.exists()
