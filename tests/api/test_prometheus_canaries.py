"""Canaries that are judged by what a real Prometheus says of their pods."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event, Thread

import pytest

from support.kube import Kube
from support.kubelet import ip_of
from support.measuring import BAD, ERRORS, GOOD, INTERVAL, begin_canary, measured, result
from support.model_servers import ModelServers
from support.operator_process import OperatorProcess, running
from support.prometheus import SCRAPE_SECONDS, Prometheus
from support.world import World

pytestmark = pytest.mark.api

NOWHERE = "http://127.0.0.1:1/{ip}"
SHARE = {
    "name": "error-share",
    "max": "0.05",
    "prometheus": {
        "query": 'sum(rest_server_requests_total{namespace="{{namespace}}",pod=~"{{canary_pods}}",status_code="500"})'
        ' / sum(rest_server_requests_total{namespace="{{namespace}}",pod=~"{{canary_pods}}"})'
    },
}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path_factory.mktemp("prometheus"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One that reaches no pod: what it knows of them, Prometheus told it."""
    theirs = {"PROMETHEUS_URL": prometheus.url, "PROMETHEUS_SCRAPE_SECONDS": str(SCRAPE_SECONDS), "POD_URL": NOWHERE}
    folder = tmp_path_factory.mktemp("operator")
    with running([OperatorProcess(account, folder, "operator", {**settings, **theirs})]) as processes:
        yield processes


@pytest.fixture
def model(world: World, prometheus: Prometheus, servers: ModelServers, kube: Kube) -> Iterator[str]:
    """A registered model whose version 1 is the champion; all pods of the namespace are read as they come."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    is_over = Event()

    def follow() -> None:
        while not is_over.wait(0.2):
            pods = [pod for pod in kube.items("Pod", world.namespace) if pod.get("status", {}).get("podIP")]
            prometheus.read(
                [
                    {
                        "address": servers.address,
                        "path": f"/pods/{ip_of(pod)}/prometheus",
                        "namespace": world.namespace,
                        "pod": pod["metadata"]["name"],
                    }
                    for pod in pods
                ]
            )

    thread = Thread(target=follow, daemon=True)
    thread.start()
    yield name
    is_over.set()
    thread.join(5)


def test_a_canary_that_errs_is_refused_and_one_that_does_well_is_taken_up(world: World, model: str) -> None:
    serving = measured(world, model, ERRORS)
    begin_canary(world, model, serving, BAD)
    world.until(lambda: serving.status.get("refusedVersions"), "it is refused")
    (refused,) = serving.status["refusedVersions"]
    assert (refused["version"], refused["reason"]) == ("2", "AnalysisFailed")
    assert "the stable version has 0 in the same window" in refused["message"]
    world.until(lambda: not serving.canary, "the rollout is over")

    begin_canary(world, model, serving, GOOD)
    world.until(lambda: serving.canary.get("weight") == 50, "a check passed at the first share")
    assert result(serving, "errors")["value"] == "0"
    assert result(serving, "errors")["stableSamples"] >= 50 * INTERVAL


def test_a_query_of_ones_own_ends_a_canary(world: World, model: str) -> None:
    serving = measured(world, model, SHARE)
    begin_canary(world, model, serving, BAD)
    world.until(lambda: serving.status.get("refusedVersions"), "it is refused")
    assert "error-share: 0.3" in serving.status["refusedVersions"][0]["message"]


@pytest.mark.disruptive
def test_without_prometheus_a_canary_is_neither_passed_nor_refused(
    world: World, model: str, prometheus: Prometheus
) -> None:
    serving = measured(world, model, ERRORS)
    prometheus.stop()
    try:
        begin_canary(world, model, serving, GOOD)
        world.until(lambda: result(serving, "errors").get("result") == "Inconclusive", "a check")
        assert prometheus.url in result(serving, "errors")["message"]
        assert serving.canary["weight"] == 25
        assert not serving.status.get("refusedVersions")
    finally:
        prometheus.start()
    world.until(lambda: serving.canary.get("weight") == 50, "it goes on once Prometheus is back")
