"""What the demo installs."""

import pytest

from tools.demo import install
from tools.demo.screen import DemoError

IMAGES = {
    name: f"registry.example.org:5000/ml/{name}:0.1.0-abc"
    for name in (
        "operator",
        "trainer",
        "model-server",
        "model-server-seldon",
        "model-fetcher",
        "source-fetcher",
        "mlflow",
    )
}


def test_a_registry_with_a_port_is_not_taken_for_a_tag() -> None:
    assert install.split_reference("registry.example.org:5000/ml/operator:0.1.0") == {
        "repository": "registry.example.org:5000/ml/operator",
        "tag": "0.1.0",
    }


@pytest.mark.parametrize("reference", ["operator", "registry.example.org:5000/operator"])
def test_a_reference_without_a_tag_is_refused(reference: str) -> None:
    with pytest.raises(DemoError, match="has no tag"):
        install.split_reference(reference)


def test_the_chart_gets_the_images_of_this_checkout() -> None:
    values = install.values(IMAGES)["images"]

    assert values["modelServer"] == {"repository": "registry.example.org:5000/ml/model-server", "tag": "0.1.0-abc"}
    assert set(values) == {"operator", "trainer", "modelServer", "modelServerSeldon", "modelFetcher", "sourceFetcher"}


def test_the_operator_is_told_of_the_mlflow_that_is_started() -> None:
    assert install.values(IMAGES)["mlflow"]["trackingUri"] == "http://mlflow.mlflow.svc:5000"


def test_the_example_names_the_image_that_the_demo_replaces() -> None:
    assert install.MLFLOW_FILE.read_text().count(install.MLFLOW_IMAGE) == 1
