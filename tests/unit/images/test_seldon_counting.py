"""The server for Seldon's protocol counts its answers as the operator reads them of every server."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort
from prometheus_client import CollectorRegistry, generate_latest

from modelyard.adapters.traffic.counters import Counts, parse
from tools.images.catalog import CHECKOUT

PATH = "/api/v1.0/predictions"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Asks an application whose model raises at 13, and answers 400 to nonsense."""
    monkeypatch.syspath_prepend(str(Path(CHECKOUT, "images/model-server-seldon")))
    from modelyard_seldon.counting import count_answers  # type: ignore[import-not-found] # noqa: PLC0415 - see above

    app = Flask("server")

    @app.route(PATH, methods=["POST"])
    @app.route("/predict", methods=["POST"])
    def predict() -> str:
        raise ZeroDivisionError

    @app.route("/health/<number>", methods=["GET"])
    def look(number: str) -> str:
        return number if number.isdigit() else abort(400)

    @app.errorhandler(ZeroDivisionError)
    def fail(_error: ZeroDivisionError) -> tuple[str, int]:
        return "thirteen", 500

    count_answers(app, registry)
    yield app.test_client()
    for name in [name for name in sys.modules if name.startswith("modelyard_seldon")]:
        del sys.modules[name]


def counted(registry: CollectorRegistry) -> Counts:
    return parse(generate_latest(registry).decode())


def test_predictions_are_counted_with_their_errors_and_their_time(client: Any, registry: CollectorRegistry) -> None:
    assert counted(registry) == Counts()
    for path in (PATH, "/predict", "/predict"):
        assert client.post(path).status_code == 500
    counts = counted(registry)
    assert (counts.requests, counts.errors, counts.buckets[float("inf")]) == (3, 3, 3)


def test_probes_and_unknown_paths_are_no_predictions(client: Any, registry: CollectorRegistry) -> None:
    codes = [
        client.get(path).status_code for path in ("/health/1", "/health/x", "/no/such/predictions", "/predictions")
    ]
    assert codes == [200, 400, 404, 404]
    assert counted(registry) == Counts()


def test_a_path_with_a_part_of_the_clients_makes_one_series(client: Any, registry: CollectorRegistry) -> None:
    for number in range(50):
        client.get(f"/health/{number}")
    text = generate_latest(registry).decode()
    assert text.count("rest_server_requests_total{") == 1
    assert 'path="/health/<number>"' in text
