"""A canary, with a crash anywhere: traffic only to pods that answer, none taken from the old ones too early."""

import pytest

import builders
from properties.actions import BACKENDS, Action, alias, annotation, deleted_children, lost, spec
from properties.serving import ServingWorld
from properties.world import Crasher, conditions_of

STEPS = [{"setWeight": 25}, {"pause": {"seconds": 3}}, {"setWeight": 50}, {"pause": {}}]
QUICK = [{"setWeight": 50}]
GOES_ON = annotation("resume", "2")

SCENARIOS: dict[str, dict[int, Action]] = {
    "is taken up": {10: alias("2"), 28: GOES_ON},
    "waits for a person": {10: alias("2")},
    "is aborted": {10: alias("2"), 22: annotation("abort", "2")},
    "is aborted while it is taken up": {10: alias("2"), 22: GOES_ON, 24: annotation("abort", "2")},
    "is aborted before it begins": {8: annotation("abort", "2"), 10: alias("2")},
    "is aborted and tried again": {
        10: alias("2"),
        14: annotation("abort", "2"),
        22: annotation("abort", "none"),
        23: annotation("retry", "2"),
        45: GOES_ON,
    },
    "is bad": {10: alias("3")},
    "is bad and another comes": {10: alias("3"), 20: alias("2"), 40: GOES_ON},
    "gives way to a newer one": {10: alias("4"), 17: alias("2"), 40: GOES_ON},
    "gives way to a newer one while it is taken up": {
        10: alias("4"),
        24: annotation("resume", "4"),
        26: alias("2"),
        50: GOES_ON,
    },
    "is not wanted any more": {10: alias("2"), 17: alias("1")},
    "comes and goes": {10: alias("2"), 13: alias("1"), 14: alias("2"), 15: alias("1"), 16: alias("2"), 40: GOES_ON},
    "loses its pods": {10: alias("2"), 17: lost("canary"), 40: GOES_ON},
    "loses its pods while it is taken up": {10: alias("2"), 24: GOES_ON, 26: lost("canary")},
    "lives through the loss of the stable pods": {10: alias("2"), 17: lost("stable"), 40: GOES_ON},
    "is paused": {10: alias("2"), 15: spec(paused=True), 24: spec(paused=False), 40: GOES_ON},
    "is scaled": {10: alias("2"), 17: spec(replicas=4), 40: GOES_ON},
    "is scaled to zero": {10: alias("2"), 17: spec(replicas=0), 30: spec(replicas=2)},
    "is edited": {10: alias("2"), 17: spec(server={"image": "another:1"}), 45: GOES_ON},
    "gets other steps": {10: alias("2"), 22: spec(rollout={"strategy": "Canary", "steps": QUICK})},
    "becomes a rolling update": {10: alias("2"), 17: spec(rollout={"strategy": "RollingUpdate"})},
    "lives through a deletion of its objects": {10: alias("2"), 17: deleted_children, 40: GOES_ON},
    "lives through the loss of the alias": {10: alias("2"), 15: alias(None), 25: alias("2"), 40: GOES_ON},
}
LASTS = {"waits for a person": "1", "is scaled to zero": "1"}
"""What serves where the canary is still under way in the end."""
REFUSED = {"is aborted", "is aborted while it is taken up", "is aborted before it begins", "is bad"}


def a_world(name: str, backend: str, crasher: Crasher | None = None, seed: int = 0) -> ServingWorld:
    rollout = {"strategy": "Canary", "steps": STEPS}
    deployment = builders.make_model_deployment().with_replicas(2).with_spec(rollout=rollout).build()
    actions = dict(SCENARIOS[name])
    return ServingWorld(
        deployment, backend, bad=frozenset({"3"}), actions=actions, crasher=crasher or Crasher(), seed=seed
    )


def lived(world: ServingWorld) -> ServingWorld:
    return world.run(90)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_canary_ends_as_it_should(name: str, backend: str) -> None:
    world = lived(a_world(name, backend))
    status = world.resource["status"]
    told = conditions_of(world.resource)
    meant = LASTS.get(name, "1" if name in REFUSED else str(world.registry.alias))
    assert status["stable"]["version"] == meant
    assert set(world.ready_versions("stable")) == {meant}
    assert told["Ready"]["status"] == "True"
    assert ("canary" in status) == (name in LASTS)
    assert [item["version"] for item in status.get("refusedVersions", [])] == _refused(name)
    writes = list(world.api.writes)
    world.run(30)
    assert world.api.writes == writes, "what is over is left alone"


def _refused(name: str) -> list[str]:
    if name in {"is bad", "is bad and another comes"}:
        return ["3"]
    return ["2"] if name in REFUSED else []


def outcome(world: ServingWorld, name: str) -> dict[str, object]:
    """The end, which a crash may not change; where the alias moved faster than a canary goes, history may differ."""
    ended = world.end_state()
    if name == "comes and goes":
        ended["status"].pop("history", None)
    return ended


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_step_ends_as_no_crash(name: str, backend: str) -> None:
    calm = lived(a_world(name, backend))
    expected = outcome(calm, name)
    changing = [step for step, what in enumerate(calm.crasher.steps) if "ask" not in what and "event" not in what]
    # Each backend crashes at other ones of these steps.
    for step in changing[BACKENDS.index(backend) :: max(2, len(changing) // 5)]:
        crashed = lived(a_world(name, backend, Crasher(at=step)))
        assert crashed.crashes == 1
        assert outcome(crashed, name) == expected, f"after a crash {calm.crasher.steps[step]} (step {step})"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_canary_costs_few_writes(backend: str) -> None:
    world = a_world("is taken up", backend)
    before = len(world.run(9).api.writes)
    lived(world)
    assert len(world.api.writes) - before < 30


@pytest.mark.parametrize("seed", range(len(SCENARIOS)))
def test_crashes_late_events_and_outages_end_well(seed: int) -> None:
    name, backend = list(SCENARIOS)[seed], BACKENDS[seed % 2]
    world = a_world(name, backend, seed=seed).run(8)
    world.crasher.probability, world.registry.away, world.lag, world.cache.lag = 0.03, 0.2, 0.5, 0.5
    world.run(50)
    world.crasher.probability, world.registry.away, world.lag, world.cache.lag = 0.0, 0.0, 0.0, 0.0
    world.share = world.share_of_the_canary()
    lived(world)
    status = world.resource["status"]
    assert conditions_of(world.resource)["Ready"]["status"] == "True"
    assert set(world.ready_versions("stable")) == {status["stable"]["version"]}
    assert status["stable"]["version"] != "3"
