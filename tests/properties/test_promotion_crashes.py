"""Wherever the operator crashes, the alias moves once, and what is said is the same."""

import dataclasses
from collections.abc import Callable

import pytest

from builders import make_promotion, make_promotion_policy
from modelyard.core.plan import Manifest
from properties.promoting import PromotingWorld
from properties.world import Crasher, conditions_of

ACCURATE = {"name": "accurate", "metric": "accuracy", "min": "0.95", "goal": "Maximize"}
NO_WORSE = {"name": "no-worse", "metric": "accuracy", "maxRegression": "0", "goal": "Maximize"}
TOO_HARD = {"name": "too-hard", "metric": "accuracy", "min": "0.99", "goal": "Maximize"}

Action = Callable[[PromotingWorld], None]


def decide(name: str, decision: str) -> Action:
    """A person decides."""

    def act(world: PromotingWorld) -> None:
        found = world.api.get("Promotion", name)
        if found is not None:
            approval = found["spec"]["approval"] | {"decision": decision, "by": "alice"}
            world.api.put(found | {"spec": found["spec"] | {"approval": approval}})

    return act


def point(alias: str, version: str) -> Action:
    """A person moves an alias by hand."""
    return lambda world: world.registry.point(alias, version)


def roll_back(world: PromotingWorld) -> None:
    """A person promotes the earlier version."""
    world.api.put(make_promotion("back", "1").build())


def policy(required: bool = False, *gates: Manifest) -> Manifest:
    made = make_promotion_policy().with_spec(gates=list(gates), approval={"required": required})
    return made.build()


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A story and its end."""

    objects: list[Manifest]
    ends: dict[str, str]
    champion: str
    actions: dict[int, Action] = dataclasses.field(default_factory=dict)


SCENARIOS = {
    "is promoted": Scenario(
        [policy(False, ACCURATE, NO_WORSE)], {"digits-2": "Promoted"}, "2", {1: point("candidate", "2")}
    ),
    "fails a gate": Scenario([policy(False, TOO_HARD)], {"digits-2": "GateFailed"}, "1", {1: point("candidate", "2")}),
    "is approved": Scenario(
        [policy(True, ACCURATE)],
        {"digits-2": "Promoted"},
        "2",
        {1: point("candidate", "2"), 12: decide("digits-2", "Approved")},
    ),
    "is rejected": Scenario(
        [policy(True, ACCURATE)],
        {"digits-2": "Rejected"},
        "1",
        {1: point("candidate", "2"), 12: decide("digits-2", "Rejected")},
    ),
    "is overtaken": Scenario(
        [policy(True)],
        {"digits-2": "Superseded", "digits-3": "Promoted"},
        "3",
        {1: point("candidate", "2"), 12: point("candidate", "3"), 25: decide("digits-3", "Approved")},
    ),
    "meets a hand": Scenario(
        [policy(True)],
        {"digits-2": "Conflict"},
        "3",
        {1: point("candidate", "2"), 12: point("champion", "3")},
    ),
    "is rolled back": Scenario(
        [make_promotion("forth", "2").build()],
        {"forth": "Promoted", "back": "Promoted"},
        "1",
        {15: roll_back},
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_end_is_the_one_that_was_meant(name: str) -> None:
    meant = SCENARIOS[name]
    world = PromotingWorld(meant.objects, dict(meant.actions)).run()
    assert world.results() == meant.ends
    assert world.registry.aliases["champion"] == meant.champion
    assert not world.api.of_kind("Job")


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_step_changes_nothing(name: str) -> None:
    meant = SCENARIOS[name]
    calm = PromotingWorld(meant.objects, dict(meant.actions)).run()
    expected = calm.end_state()
    for step, what in enumerate(calm.crasher.steps):
        crashed = PromotingWorld(meant.objects, dict(meant.actions), Crasher(at=step)).run()
        assert crashed.crashes == 1
        assert crashed.end_state() == expected, f"after a crash {what} (step {step})"


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_over_is_left_alone(name: str) -> None:
    meant = SCENARIOS[name]
    world = PromotingWorld(meant.objects, dict(meant.actions)).run()
    writes = len(world.api.writes)
    world.run(20)
    assert len(world.api.writes) == writes


def rivals(seed: int) -> list[Manifest]:
    return [make_promotion(f"p{seed % 2}", "2").build(), make_promotion(f"p{1 - seed % 2}", "3").build()]


@pytest.mark.parametrize("seed", range(40))
def test_of_two_rivals_one_wins_whatever_crashes_is_late_or_away(seed: int) -> None:
    world = PromotingWorld(rivals(seed), crasher=Crasher(probability=0.05), lag=0.5, seed=seed)
    world.registry.away = 0.2
    world.run(60)
    world.crasher.probability, world.registry.away, world.cache.lag = 0.0, 0.0, 0.0
    world.run(60)
    assert sorted(str(result) for result in world.results().values()) in (
        ["Promoted", "Superseded"],
        ["Conflict", "Promoted"],
        # The second was judged only after the first had won: both are as they were asked for, one after the other.
        ["Promoted", "Promoted"],
    )
    assert len(world.registry.moves) == list(world.results().values()).count("Promoted")
    assert world.registry.moves[-1] == world.registry.aliases["champion"]


@pytest.mark.parametrize("tick", range(2, 14))
def test_a_hand_in_the_middle_is_never_undone(tick: int) -> None:
    objects = [make_promotion("by-hand", "2").build()]
    world = PromotingWorld(objects, {tick: point("champion", "3")}).run()
    if world.results() == {"by-hand": "Promoted"}:
        assert world.registry.moves in (["2"], [])
    else:
        assert world.results() == {"by-hand": "Conflict"}
        assert not world.registry.moves
        assert world.registry.aliases["champion"] == "3"


def test_a_promotion_costs_four_writes_and_its_job_two() -> None:
    world = PromotingWorld([make_promotion("by-hand", "2").build()]).run()
    found = world.api.get("Promotion", "by-hand")
    assert found is not None
    assert conditions_of(found)["Complete"]["status"] == "True"
    assert [f"{verb} {kind}" for verb, kind, _ in world.api.writes] == [
        "create Job",
        "status Promotion",
        "status Promotion",
        "delete Job",
        "status Promotion",
    ]
