"""Names follow from contents."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tools.images.catalog import GoProgram, Image, catalog, select, version
from tools.images.cli import main
from tools.localcluster.errors import ClusterError

EXTRA = ("trainer-pytorch", "model-server-seldon", "envoy-gateway")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    about = tmp_path / "operator" / "modelyard" / "__about__.py"
    about.parent.mkdir(parents=True)
    about.write_text('"""Doc."""\n\n__version__ = "1.2.3"\n')
    folder = tmp_path / "images" / "thing"
    folder.mkdir(parents=True)
    (folder / "Containerfile").write_text('FROM x\nLABEL a.b="1" c.d="two"\n')
    (folder / "run.sh").write_text("true\n")
    return tmp_path


def thing(checkout: Path) -> Image:
    folder = Path("images/thing")
    return Image("thing", folder, folder / "Containerfile", (folder,), checkout)


def test_reference_carries_registry_version_and_key(checkout: Path) -> None:
    image = thing(checkout)
    assert image.reference == f"docker.io/modelyard/thing:1.2.3-{image.key}"
    assert image.release_reference == "docker.io/modelyard/thing:1.2.3"
    assert len(image.key) == 12


def test_key_stays_with_the_same_contents(checkout: Path) -> None:
    assert thing(checkout).key == thing(checkout).key


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "run.sh").write_text("false\n"),
        lambda folder: (folder / "run.sh").rename(folder / "other.sh"),
        lambda folder: (folder / "run.sh").chmod(0o755),
        lambda folder: (folder / "new").write_text(""),
        lambda folder: (folder / "Containerfile").write_text("FROM y\n"),
        lambda folder: (folder.parents[1] / "operator/modelyard/__about__.py").write_text('__version__ = "2"\n'),
    ],
    ids=["contents", "name", "mode", "new file", "containerfile", "release"],
)
def test_key_changes_with_everything_that_goes_in(checkout: Path, change: Callable[[Path], object]) -> None:
    before = thing(checkout).key
    change(checkout / "images" / "thing")
    assert thing(checkout).key != before


def test_key_changes_with_the_program_that_is_compiled_for_it(checkout: Path) -> None:
    keys = {
        replace(thing(checkout), program=program).key for program in (None, GoProgram("a", "b"), GoProgram("a", "c"))
    }
    assert len(keys) == 3


def test_what_tools_leave_behind_does_not_go_in(checkout: Path) -> None:
    before = thing(checkout).files()
    cache = checkout / "images/thing/__pycache__"
    cache.mkdir()
    (cache / "a.pyc").write_bytes(b"")
    assert thing(checkout).files() == before


def test_labels_are_read_from_the_containerfile(checkout: Path) -> None:
    assert thing(checkout).labels == {"a.b": "1", "c.d": "two"}


def test_missing_release_number_is_named(checkout: Path) -> None:
    (checkout / "operator/modelyard/__about__.py").write_text("")
    with pytest.raises(ClusterError, match="__version__"):
        version(checkout)


def test_no_names_select_every_image_that_is_no_extra() -> None:
    assert [image.name for image in select([])] == [name for name in catalog() if name not in EXTRA]


def test_an_extra_image_is_selected_by_its_name() -> None:
    assert [image.name for image in select(["trainer-pytorch"])] == ["trainer-pytorch"]


def test_names_select_in_the_order_of_the_catalog() -> None:
    assert [image.name for image in select(["trainer", "operator"])] == ["operator", "trainer"]


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ClusterError, match=r"'trainers'.*trainer, model-server"):
        select(["trainers"])


def test_references_of_extra_images_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refs"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(catalog())
