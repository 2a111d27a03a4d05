"""A crash anywhere while a ModelDeployment follows its alias changes nothing of its end, and it goes on answering."""

import pytest

import builders
from modelyard.core.plan import Manifest
from properties.actions import BACKENDS, Action, alias, deleted_children, spec
from properties.serving import ServingWorld
from properties.world import Crasher, conditions_of

SCENARIOS: dict[str, dict[int, Action]] = {
    "is deployed": {},
    "switches": {10: alias("2")},
    "switches there and back": {10: alias("2"), 20: alias("1")},
    "switches back at once": {10: alias("2"), 11: alias("1")},
    "switches to a bad version and on": {10: alias("3"), 16: alias("2")},
    "stays with a bad version": {10: alias("3")},
    "has the alias moved back": {8: spec(rollback={"moveAliasBack": True}), 10: alias("3")},
    "has the alias moved back but for a newer move": {
        8: spec(rollback={"moveAliasBack": True}),
        10: alias("3"),
        16: alias("2"),
    },
    "is paused while the alias moves": {8: spec(paused=True), 10: alias("2"), 16: spec(paused=False)},
    "is scaled": {10: spec(replicas=3)},
    "is scaled while it switches": {10: alias("2"), 11: spec(replicas=2)},
    "switches without room": {8: spec(rollout={"surge": "Forbid"}), 10: alias("2")},
    "switches many without room": {8: spec(rollout={"surge": "Forbid"}, replicas=3), 16: alias("2")},
    "switches to a bad version without room": {8: spec(rollout={"surge": "Forbid"}), 10: alias("3")},
    "loses its alias": {10: alias(None)},
    "gets its alias late": {0: alias(None), 6: alias("1")},
}


STAYS = {"stays with a bad version", "switches to a bad version without room", "loses its alias"}


def a_deployment() -> Manifest:
    return builders.make_model_deployment().with_replicas(1).build()


def a_world(name: str, backend: str, crasher: Crasher | None = None, **more: float) -> ServingWorld:
    return ServingWorld(
        a_deployment(),
        backend,
        bad=frozenset({"3"}),
        actions=dict(SCENARIOS[name]),
        crasher=crasher or Crasher(),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_step_ends_as_no_crash(name: str, backend: str) -> None:
    calm = a_world(name, backend).run()
    expected = calm.end_state()
    # Before a question nothing has happened since the last point.
    steps = [(step, what) for step, what in enumerate(calm.crasher.steps) if "before ask" not in what]
    changing = [step for step, what in steps if "ask" not in what]
    for step in [*changing, *(step for step, _ in steps[:: max(1, len(steps) // 5)])]:
        crashed = a_world(name, backend, Crasher(at=step)).run()
        assert crashed.crashes == 1
        assert crashed.end_state() == expected, f"after a crash {calm.crasher.steps[step]} (step {step})"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_version_that_was_meant_serves_in_the_end(name: str, backend: str) -> None:
    world = a_world(name, backend).run()
    meant = "1" if name in STAYS else world.registry.alias
    assert set(world.ready_versions()) == {meant}
    assert world.resource["status"]["stable"]["version"] == meant
    assert conditions_of(world.resource)["Ready"]["status"] == "True"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_serves_is_left_alone(name: str, backend: str) -> None:
    world = a_world(name, backend).run()
    writes = list(world.api.writes)
    world.run(30)
    assert world.api.writes == writes


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_bad_version_is_named_with_its_reason(backend: str) -> None:
    world = a_world("stays with a bad version", backend).run()
    found = conditions_of(world.resource)
    assert found["Degraded"]["reason"] == found["Stalled"]["reason"] == "ModelIncomplete"
    assert "version 1 serves" in found["Ready"]["message"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_deleted_by_someone_is_made_again(backend: str) -> None:
    world = a_world("is deployed", backend)
    world.actions = {10: deleted_children}
    world.run()
    assert world.ready_versions() == ["1"]
    assert world.api.get(backend, "digits") is not None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("alias_then", ["1", "2", None])
def test_it_serves_on_while_the_registry_is_away_for_five_minutes(backend: str, alias_then: str | None) -> None:
    world = a_world("is deployed", backend).run()
    world.registry.alias, world.registry.away = alias_then, 1.0
    for _ in range(30):
        world.clock.advance(10)
        world.run(1)
        assert world.ready_versions() == ["1"]
    assert conditions_of(world.resource)["Ready"]["status"] == "True"
    world.registry.away = 0.0
    world.run()
    assert world.ready_versions() == [alias_then or "1"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_alias_that_flaps_settles_on_the_last_with_few_writes(backend: str) -> None:
    world = a_world("is deployed", backend).run()
    before = len(world.api.writes)
    world.actions = {world.tick + 1 + turn: alias(str(turn % 2 + 1)) for turn in range(40)}
    world.run(120)
    assert world.ready_versions() == ["2"]
    # The object, its status, and its status once more: never more than the moves themselves cost.
    assert len(world.api.writes) - before <= 3 * 40


@pytest.mark.parametrize("seed", range(60))
def test_crashes_late_events_and_outages_end_well(seed: int) -> None:
    names = list(SCENARIOS)
    name, backend = names[seed % len(names)], BACKENDS[seed % 2]
    # What serves at first is told calmly: a version that nobody was told of cannot be named as the one that serves on.
    world = a_world(name, backend, seed=seed).run(8)
    world.crasher.probability, world.registry.away, world.lag, world.cache.lag = 0.05, 0.2, 0.5, 0.5
    world.run()
    world.crasher.probability, world.registry.away, world.lag, world.cache.lag = 0.0, 0.0, 0.0, 0.0
    world.run()
    assert lasting(world) == lasting(a_world(name, backend).run())


def lasting(world: ServingWorld) -> dict[str, object]:
    """The end without what an outage may have hidden: a version that was wanted for a moment only."""
    ended = world.end_state()
    for name in ("history", "refusedVersions", "checked"):
        ended["status"].pop(name, None)
    conditions = ended["status"]["conditions"]
    ended["status"]["conditions"] = [item for item in conditions if item["type"] != "Compatible"]
    return ended
