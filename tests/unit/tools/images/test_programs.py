"""Programs that are compiled before an image is built."""

from pathlib import Path

import pytest

from tools.images import programs
from tools.images.catalog import GoProgram, Image
from tools.localcluster.progress import Steps

PROGRAM = GoProgram("serve", "example.org/serve/cmd")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[list[str], dict[str, str]]]:
    ran: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setenv("MODELYARD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(programs, "ensure_go", lambda *_: Path("/go"))
    monkeypatch.setattr(programs, "run_logged", lambda argv, _, **environment: ran.append((argv, environment)))
    return ran


def image(program: GoProgram | None, checkout: Path) -> Image:
    return Image("thing", Path("images/thing"), Path("images/thing/Containerfile"), (), checkout, program=program)


def test_it_is_compiled_from_its_module_into_the_context(
    commands: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    programs.compile_into(tmp_path / "context", image(PROGRAM, tmp_path), tmp_path / "log", Steps("test"))
    [(command, environment)] = commands
    assert command[:4] == ["/go", "-C", str(tmp_path / "images/thing"), "build"]
    assert command[-3:] == ["-o", str(tmp_path / "context/serve"), "example.org/serve/cmd"]
    assert "-mod=readonly" in command, "go.mod and go.sum are what the image's name stands for"
    assert environment["CGO_ENABLED"] == "0"
    assert environment["GOCACHE"].startswith(str(tmp_path / "cache"))


def test_an_image_without_a_program_needs_no_compiler(
    commands: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    programs.compile_into(tmp_path, image(None, tmp_path), tmp_path / "log", Steps("test"))
    assert commands == []
