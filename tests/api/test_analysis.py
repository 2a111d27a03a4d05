"""Canaries that are judged by what their pods answer, the same with either backend."""

import re
import time
from typing import Any

import pytest

from support.kubelet import ip_of
from support.measuring import BAD, GOOD, INTERVAL, SLOW, begin_canary, load, measured, result
from support.model_servers import Load
from support.world import World

pytestmark = [pytest.mark.api, pytest.mark.usefixtures("with_seldon")]

BACKENDS = ("SeldonDeployment", "Deployment")


@pytest.fixture
def model(world: World) -> str:
    """A registered model whose version 1 is the champion."""
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    return name


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_canary_that_errs_loses_its_traffic_within_one_interval(
    world: World, model: str, backend: str, record_property: Any
) -> None:
    serving = measured(world, model, backend=backend)
    version = begin_canary(world, model, serving, BAD)
    began = time.monotonic()
    world.until(lambda: not serving.canary.get("weight"), "the canary has no traffic any more")
    took = time.monotonic() - began
    record_property("seconds from traffic to none", round(took, 2))
    print(f"\nfrom the canary's first traffic to none: {took:.2f} s, the interval is {INTERVAL} s")
    assert took <= INTERVAL + 2
    world.until(lambda: not serving.pods_of("canary"), "the canary's pods go")
    world.until(lambda: not serving.canary, "the rollout is over")
    (refused,) = serving.status["refusedVersions"]
    assert (refused["version"], refused["reason"]) == (version, "AnalysisFailed")
    said = r"errors: 0\.[23]\d* is not <= 0\.01; the stable version has 0 in the same window"
    assert re.search(said, refused["message"])
    errors = result(serving, "errors")
    assert (errors["result"], errors["threshold"], errors["stableValue"]) == ("Fail", "<= 0.01", "0")
    assert errors["samples"] >= 300
    assert errors["stableSamples"] >= 600
    assert serving.stable_version == "1"
    assert len(serving.pods("1")) == 2
    assert "AnalysisFailed" in [event["reason"] for event in world.events_about(serving.live)]
    assert [item["outcome"] for item in serving.status["history"]][-1] == "RolledBack"


def test_a_canary_that_does_well_is_taken_up_step_by_step(world: World, model: str) -> None:
    serving = measured(world, model)
    version = begin_canary(world, model, serving, GOOD)
    said = serving.until_ready_says("True", "Analysing")
    assert "waiting for the analysis: the analysis has not yet checked this share" in said["message"]
    world.until(lambda: serving.canary.get("weight") == 50, "a check passed at the first share")
    assert result(serving, "errors")["result"] == "Pass"
    assert result(serving, "latency")["value"] == "0.048"
    world.until(lambda: load(world, serving, version, GOOD) or serving.canary.get("phase") == "Promoting", "promoted")
    serving.take_up(version)
    assert serving.stable_version == version


def test_a_canary_that_is_slow_is_refused(world: World, model: str) -> None:
    serving = measured(world, model)
    begin_canary(world, model, serving, SLOW)
    world.until(lambda: serving.status.get("refusedVersions"), "it is refused")
    assert "latency: 0.975 is not <= 0.3" in serving.status["refusedVersions"][0]["message"]


def test_clients_that_send_nonsense_to_both_versions_end_no_rollout(world: World, model: str) -> None:
    serving = measured(world, model)
    load(world, serving, "1", BAD)
    begin_canary(world, model, serving, BAD)
    world.until(lambda: result(serving, "errors").get("result") == "Pass", "a check")
    assert "no worse" in result(serving, "errors")["message"]
    assert not serving.status.get("refusedVersions")


def test_too_little_traffic_holds_a_canary_and_is_told(world: World, model: str) -> None:
    serving = measured(world, model)
    begin_canary(world, model, serving, Load(4))
    world.until(lambda: result(serving, "errors").get("result") == "Inconclusive", "a check")
    said = serving.until_ready_says("True", "Analysing")
    assert "predictions in 5 s, minSamples is 50" in said["message"]
    assert serving.canary["weight"] == 25
    serving.annotate("abort", "2")
    world.until(lambda: not serving.canary, "it is ended")


def test_a_canary_that_cannot_be_measured_is_not_passed_and_the_address_is_named(world: World, model: str) -> None:
    serving = measured(world, model)
    begin_canary(world, model, serving, None)
    world.until(lambda: result(serving, "errors").get("result") == "Inconclusive", "a check")
    (pod,) = serving.pods_of("canary")
    assert f"/pods/{ip_of(pod)}/prometheus" in result(serving, "errors")["message"]
    assert serving.canary["weight"] == 25


def test_a_query_needs_a_prometheus(world: World, model: str) -> None:
    serving = measured(world, model, {"name": "drift", "prometheus": {"query": "drift"}, "max": "0.2"})
    begin_canary(world, model, serving, GOOD)
    world.until(lambda: result(serving, "drift").get("result") == "Inconclusive", "a check")
    assert "set the chart's prometheus.url" in result(serving, "drift")["message"]


def test_one_failed_check_of_two_allowed_is_endured(world: World, model: str) -> None:
    serving = measured(world, model, failureLimit=2)
    version = begin_canary(world, model, serving, BAD)
    world.until(lambda: result(serving, "errors").get("failures") == 1, "one failed check")
    assert serving.canary["weight"] == 25
    world.until(lambda: not serving.canary.get("weight"), "the second one ends it")
    assert serving.status["refusedVersions"][0]["version"] == version


def test_a_check_costs_one_write(world: World, model: str) -> None:
    serving = measured(world, model)
    begin_canary(world, model, serving, Load(4))
    world.until(lambda: result(serving, "errors").get("result") == "Inconclusive", "a check")
    before = serving.live["metadata"]["resourceVersion"]
    seen = {before}
    end = time.monotonic() + 2 * INTERVAL
    while time.monotonic() < end:
        seen.add(serving.live["metadata"]["resourceVersion"])
        time.sleep(0.1)
    assert len(seen) <= 4
