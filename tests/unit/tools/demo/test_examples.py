"""What holds for every file of examples/."""

from pathlib import Path

import pytest
import yaml

from modelyard.api.kinds import KINDS

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
OURS = {kind.kind_name: kind for kind in KINDS}


def documents(file: Path) -> list[dict]:
    return list(yaml.safe_load_all(file.read_text()))


def comment(file: Path) -> list[str]:
    lines = file.read_text().splitlines()
    return lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_it_starts_with_what_it_shows_and_how_to_apply_check_and_clean_it(file: Path) -> None:
    words = "\n".join(comment(file))

    assert all(f"# {word}" in words for word in ("Apply:", "Check:", "Clean:"))
    assert f"-f {file.relative_to(EXAMPLES.parent)}" in words


@pytest.mark.parametrize("file", FILES, ids=str)
def test_the_readme_tells_of_it(file: Path) -> None:
    assert str(file.relative_to(EXAMPLES)) in (EXAMPLES / "README.md").read_text()


@pytest.mark.parametrize("file", FILES, ids=str)
def test_its_objects_are_of_the_kinds_as_they_are(file: Path) -> None:
    for item in documents(file):
        if item["apiVersion"].startswith("modelyard.io/"):
            OURS[item["kind"]].model_validate(item)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_its_scripts_are_python(file: Path) -> None:
    for item in documents(file):
        for name, text in item.get("data", {}).items():
            if name.endswith(".py"):
                compile(text, name, "exec")
