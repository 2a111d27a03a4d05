"""What the real manager was recorded doing, and a SeldonDeployment to vary."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Builder = Callable[..., dict[str, Any]]
DATA = Path(__file__).parents[3] / "data" / "seldon-1.17.1"


@pytest.fixture(scope="session")
def recorded_objects() -> dict[str, Any]:
    return yaml.safe_load((DATA / "objects.yaml").read_text())


@pytest.fixture(scope="session")
def recorded_timeline() -> list[dict[str, Any]]:
    return yaml.safe_load((DATA / "timeline.yaml").read_text())


def make_predictor(name: str = "main", **fields: object) -> dict[str, Any]:
    container = {
        "name": "model",
        "image": "model-server:1",
        "ports": [
            {"name": "http", "containerPort": 9000},
            {"name": "grpc", "containerPort": 9500},
            {"name": "metrics", "containerPort": 6000},
        ],
    }
    predictor = {
        "name": name,
        "annotations": {"seldon.io/no-engine": "true"},
        "graph": {"name": "model", "type": "MODEL"},
        "componentSpecs": [{"spec": {"containers": [container]}}],
    }
    return {**predictor, **fields}


def make_sdep(*predictors: dict[str, Any], name: str = "churn", **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": name, "namespace": "ml", "uid": "uid-1", "generation": 1},
        "spec": {"protocol": "v2", "predictors": list(predictors) or [make_predictor()], **spec},
    }


@pytest.fixture(name="make_predictor")
def _make_predictor() -> Builder:
    return make_predictor


@pytest.fixture(name="make_sdep")
def _make_sdep() -> Builder:
    return make_sdep
