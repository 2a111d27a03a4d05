"""A canary that is measured, with a crash anywhere: one that errs is never taken up, and holds no traffic for long."""

import pytest

import builders
from properties.actions import BACKENDS, Action, alias, annotation
from properties.serving import ServingWorld
from properties.world import Crasher, conditions_of

INTERVAL = 5
ANALYSIS = {
    "intervalSeconds": INTERVAL,
    "metrics": [{"name": "errors", "builtin": "ErrorRate", "max": "0.01"}],
}
STEPS = [{"setWeight": 25}, {"pause": {"seconds": 3}}, {"setWeight": 50}]


def errs(version: str) -> Action:
    def begin(world: ServingWorld) -> None:
        world.erring = frozenset({version})

    return begin


def tells_nothing(world: ServingWorld) -> None:
    world.is_silent = True


def tells_again(world: ServingWorld) -> None:
    world.is_silent = False


SCENARIOS: dict[str, dict[int, Action]] = {
    "does well": {10: alias("2")},
    "errs": {9: errs("2"), 10: alias("2")},
    "errs at a larger share": {10: alias("2"), 24: errs("2")},
    "errs and another comes": {9: errs("2"), 10: alias("2"), 30: alias("4")},
    "errs as much as the stable one": {9: errs("1"), 10: alias("2")},
    "cannot be measured": {9: tells_nothing, 10: alias("2")},
    "cannot be measured for a while": {9: tells_nothing, 10: alias("2"), 40: tells_again},
    "cannot be measured and is aborted": {9: tells_nothing, 10: alias("2"), 40: annotation("abort", "2")},
}
MEANT = {
    "does well": "2",
    "errs": "1",
    "errs at a larger share": "1",
    "errs and another comes": "4",
    "errs as much as the stable one": "2",
    "cannot be measured": "1",
    "cannot be measured for a while": "2",
    "cannot be measured and is aborted": "1",
}


def a_world(name: str, backend: str, crasher: Crasher | None = None) -> ServingWorld:
    rollout = {"strategy": "Canary", "steps": STEPS, "analysis": ANALYSIS}
    deployment = builders.make_model_deployment().with_replicas(2).with_spec(rollout=rollout).build()
    return ServingWorld(deployment, backend, actions=dict(SCENARIOS[name]), crasher=crasher or Crasher())


def lived(world: ServingWorld) -> ServingWorld:
    return world.run(90)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_canary_is_taken_up_only_when_it_does_well(name: str, backend: str) -> None:
    world = lived(a_world(name, backend))
    status = world.resource["status"]
    assert status["stable"]["version"] == MEANT[name]
    assert set(world.ready_versions("stable")) == {MEANT[name]}
    refused = [(item["version"], item["reason"]) for item in status.get("refusedVersions", [])]
    is_failed = "errs" in name and "stable" not in name
    is_aborted = "aborted" in name
    assert refused == ([("2", "AnalysisFailed")] if is_failed else [("2", "Aborted")] if is_aborted else [])
    assert ("canary" in status) == (name == "cannot be measured")
    if name == "cannot be measured":
        assert status["canary"]["weight"] == 25
        assert conditions_of(world.resource)["Ready"]["reason"] == "Analysing"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_canary_that_errs_loses_its_traffic_within_an_interval(backend: str) -> None:
    world = a_world("errs", backend)
    shares = []
    for _ in range(45):
        world.run(1)
        shares.append(world.share_of_the_canary() > 0)
    first = shares.index(True)
    # The clock of this world goes in seconds: one more for the look that begins the window, one for the switch.
    assert sum(shares[first:]) <= INTERVAL + 2
    assert not any(shares[first + INTERVAL + 2 :])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_step_ends_as_no_crash(name: str, backend: str) -> None:
    calm = lived(a_world(name, backend))
    changing = [step for step, what in enumerate(calm.crasher.steps) if "ask" not in what and "event" not in what]
    for step in changing[BACKENDS.index(backend) :: max(2, len(changing) // 5)]:
        crashed = lived(a_world(name, backend, Crasher(at=step)))
        assert crashed.crashes == 1
        stable = crashed.resource["status"]["stable"]["version"]
        assert stable == MEANT[name], f"after a crash {calm.crasher.steps[step]} (step {step})"
