"""Commands that hand images to a cluster one already has."""

from pathlib import Path

import pytest

from tools.images.catalog import catalog
from tools.images.transfer import fill_in, registry_reference
from tools.localcluster.errors import ClusterError

ARCHIVE = Path("/cache/my images/a.tar")
REFERENCE = "docker.io/modelyard/a:1-x"


@pytest.mark.parametrize(
    ("template", "command"),
    [
        ("kind load image-archive {archive}", ["kind", "load", "image-archive", str(ARCHIVE)]),
        ("docker load", ["docker", "load", str(ARCHIVE)]),
        ("docker load --input={archive}", ["docker", "load", f"--input={ARCHIVE}"]),
        ("load.sh '{ref} of {archive}'", ["load.sh", f"{REFERENCE} of {ARCHIVE}"]),
        ("minikube image load {ref}", ["minikube", "image", "load", REFERENCE]),
    ],
)
def test_placeholders_are_filled_in_without_a_shell(template: str, command: list[str]) -> None:
    assert fill_in(template, ARCHIVE, REFERENCE) == command


def test_empty_command_is_refused_with_an_example() -> None:
    with pytest.raises(ClusterError, match="kind load image-archive"):
        fill_in(" ", ARCHIVE, REFERENCE)


@pytest.mark.parametrize("prefix", ["reg.example.org:5000/ml", "reg.example.org:5000/ml/"])
def test_reference_in_a_registry_keeps_name_and_tag(prefix: str) -> None:
    image = catalog()["trainer"]
    assert registry_reference(image, prefix) == f"reg.example.org:5000/ml/trainer:{image.reference.rpartition(':')[2]}"
