"""MLflow's client is configured through the environment: each test leaves it as it found it."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def unchanged_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)
