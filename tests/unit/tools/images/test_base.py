"""The base comes from the host's own Debian sources and carries none of its settings."""

import subprocess
from pathlib import Path

import pytest

from tools.images.base import TIDY, base_key, bootstrap_command, debian_suites, host_sources

DEBIAN = "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"


@pytest.mark.parametrize(
    ("text", "suites"),
    [
        (DEBIAN, {"bookworm", "bookworm-updates"}),
        ("deb [arch=amd64 trusted=yes] http://mirror/debian bookworm main contrib\n", {"bookworm"}),
        ("deb http://mirror/debian-security bookworm-security main\n", {"bookworm-security"}),
        ("# deb http://mirror/debian bookworm main\n", set()),
        ("deb-src http://mirror/debian bookworm main\n", set()),
        ("deb http://mirror/debian trixie main\n", set()),
        ("deb https://packages.example/cloud cloud-sdk-bookworm main\n", set()),
        ("deb https://packages.example/docker bookworm stable\n", set()),
    ],
)
def test_only_debians_own_suites_are_recognised(text: str, suites: set[str]) -> None:
    assert debian_suites(text) == suites


def test_sources_of_the_suite_come_with_its_security_updates(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(DEBIAN)
    (folder / "security.list").write_text("deb http://mirror/debian-security bookworm-security main\n")
    (folder / "debian.sources.disabled").write_text(DEBIAN)
    (folder / "docker.list").write_text("deb https://packages.example/docker bookworm stable\n")
    assert host_sources(tmp_path) == [folder / "debian.sources", folder / "security.list"]


def test_host_without_the_suite_leaves_the_choice_to_debians_own_mirror(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror/debian-security bookworm-security main\n")
    assert host_sources(tmp_path) == []


def test_settings_for_the_mirror_are_removed_from_the_image() -> None:
    command = bootstrap_command(Path("base.tar"))
    assert "apt.conf.d/99mmdebstrap" in TIDY
    assert f"--customize-hook={TIDY}" in command
    assert command[command.index("bookworm") + 1] == "base.tar"


def test_the_mirror_stays_without_the_password_for_it(tmp_path: Path) -> None:
    apt = tmp_path / "etc/apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list").write_text("deb http://me:secret@mirror.example/debian bookworm main\n")
    (apt / "sources.list.d/debian.sources").write_text(DEBIAN)
    subprocess.run(["sh", "-e", "-c", TIDY, "hook", str(tmp_path)], check=True)
    assert (apt / "sources.list").read_text() == "deb http://mirror.example/debian bookworm main\n"
    assert (apt / "sources.list.d/debian.sources").read_text() == DEBIAN


def test_key_does_not_depend_on_the_machine() -> None:
    assert len(base_key()) == 12
    assert base_key() == base_key()
