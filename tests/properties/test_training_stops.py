"""Deadlines and queues end as they should, wherever a crash comes in between, and never early."""

from collections.abc import Callable
from typing import Any

import pytest

import builders
from modelyard.core import clock
from properties.training import TrainingWorld
from properties.world import Crasher, conditions_of

Action = Callable[[TrainingWorld], None]


def let_run(world: TrainingWorld) -> None:
    world.hold_the_job(is_held=False)


def take_back(world: TrainingWorld) -> None:
    world.hold_the_job(is_held=True)


def suspend(world: TrainingWorld) -> None:
    world.change(suspend=True)


def resume(world: TrainingWorld) -> None:
    world.change(suspend=False)


NEVER = 1000
SCENARIOS: dict[str, tuple[dict[str, Any], dict[str, Any], str, list[str]]] = {
    "runs out of time": (
        {"activeDeadlineSeconds": 6},
        {"train_ticks": NEVER},
        "DeadlineExceeded",
        ["DeadlineExceeded"],
    ),
    "runs out of time over two attempts": (
        {"activeDeadlineSeconds": 8},
        {"train_ticks": NEVER, "actions": {6: suspend, 16: resume}},
        "DeadlineExceeded",
        ["DeadlineExceeded", "Suspended"],
    ),
    "ends in time": ({"activeDeadlineSeconds": 60}, {}, "Succeeded", ["Succeeded"]),
    "waits too long": (
        {"pendingDeadlineSeconds": 8},
        {"is_stuck": True},
        "PendingDeadlineExceeded",
        ["PendingDeadlineExceeded"],
    ),
    "starts in time": ({"pendingDeadlineSeconds": 8}, {"train_ticks": 12}, "Succeeded", ["Succeeded"]),
    "is queued": ({"queueName": "gpus"}, {"actions": {12: let_run}}, "Succeeded", ["Succeeded"]),
    "is queued for longer than it may wait to start": (
        {"queueName": "gpus", "pendingDeadlineSeconds": 5},
        {"actions": {15: let_run}},
        "Succeeded",
        ["Succeeded"],
    ),
    "is taken back": (
        {"queueName": "gpus"},
        {"train_ticks": 12, "actions": {2: let_run, 8: take_back, 22: let_run}},
        "Succeeded",
        ["Succeeded", "Requeued"],
    ),
}


def a_world(name: str, crasher: Crasher | None = None) -> TrainingWorld:
    spec, more, *_ = SCENARIOS[name]
    job = builders.make_training_job().with_model().with_retry(0).with_spec(**spec).build()
    given = more | {"actions": dict(more.get("actions", {}))}
    return TrainingWorld(job, [], crasher=crasher or Crasher(), **given)


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_ends_as_meant_and_a_crash_at_any_step_changes_nothing(name: str) -> None:
    calm = a_world(name).run(80)
    *_, end, reasons = SCENARIOS[name]
    assert conditions_of(calm.resource)["Complete"]["reason"] == end
    assert [item["reason"] for item in calm.resource["status"]["attempts"]] == reasons
    assert "RUNNING" not in calm.mlflow.statuses.values()
    assert "failures" not in calm.resource["status"]
    expected = calm.end_state()
    for step, what in enumerate(calm.crasher.steps):
        crashed = a_world(name, Crasher(at=step)).run(80)
        assert crashed.end_state() == expected, f"after a crash {what} (step {step})"


@pytest.mark.parametrize(("name", "most"), [("runs out of time", 6), ("runs out of time over two attempts", 8)])
def test_running_time_is_used_up_to_the_second_and_no_less(name: str, most: int) -> None:
    world = a_world(name).run(80)
    used = world.resource["status"]["activeSeconds"]
    assert most <= used <= most + 2


def test_an_operator_that_was_away_does_not_make_a_wait_longer_or_shorter() -> None:
    world = a_world("waits too long", Crasher(at=4))
    world.ticks_down = 30
    world.run(80)
    assert conditions_of(world.resource)["Complete"]["reason"] == "PendingDeadlineExceeded"
    [attempt] = world.resource["status"]["attempts"]
    waited = clock.from_text(attempt["completionTime"]) - clock.from_text(attempt["startTime"])
    assert waited.total_seconds() >= 8
