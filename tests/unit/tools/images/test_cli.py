"""Which images the command line builds."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.images import cli
from tools.images.catalog import Image, catalog


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what would be built."""
    names: list[str] = []

    def note(images: Sequence[Image], _steps: object) -> list[Path]:
        names.extend(image.name for image in images)
        return []

    monkeypatch.setattr(cli, "ensure_built", note)
    return names


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [image.name for image in catalog().values() if not image.is_extra]),
        (["--all"], list(catalog())),
        (["envoy-gateway"], ["envoy-gateway"]),
    ],
)
def test_extra_images_are_built_when_they_are_named_or_all_are_asked_for(
    built: list[str], arguments: list[str], expected: list[str]
) -> None:
    assert cli.main(["build", *arguments]) == 0
    assert built == expected
