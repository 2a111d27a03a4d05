"""A crash anywhere in the life of a TrainingJob changes nothing of its end, and breaks no rule on the way."""

from collections.abc import Callable

import pytest

import builders
from modelyard.core.plan import Manifest
from modelyard.core.tracking import EndRun, EnsureRun, FindModels, ReadMetrics, RegisterVersion
from properties.training import TrainingWorld
from properties.world import Crasher, conditions_of

Action = Callable[[TrainingWorld], None]


def a_job(limit: int = 2, wait: int = 2, **tracking: object) -> Manifest:
    job = builders.make_training_job().with_model(aliases=["candidate"]).with_retry(limit, initial=wait)
    return job.changed("spec", "tracking", to={"metrics": ["accuracy"], **tracking}).build()


def suspend(world: TrainingWorld) -> None:
    world.change(suspend=True)


def resume(world: TrainingWorld) -> None:
    world.change(suspend=False)


def delete_the_job(world: TrainingWorld) -> None:
    world.delete_the_job()


SCENARIOS: dict[str, tuple[list[int], int, dict[int, Action]]] = {
    "succeeds": ([0], 2, {}),
    "is retried": ([1, 0], 2, {}),
    "gives up": ([1, 1], 1, {}),
    "is suspended while pending": ([0], 2, {1: suspend, 9: resume}),
    "is suspended while running": ([0], 2, {3: suspend, 12: resume}),
    "is suspended at its end": ([0], 2, {5: suspend, 12: resume}),
    "is suspended while waiting to retry": ([1, 0], 2, {6: suspend, 12: resume}),
    "is suspended and resumed at once": ([0], 2, {3: suspend, 4: resume}),
    "is suspended in its second attempt": ([1, 0], 2, {9: suspend, 16: resume}),
    "stays suspended": ([0], 2, {3: suspend}),
}

OF_SEVERAL = ("succeeds", "is retried", "gives up", "is suspended while running", "stays suspended")
"""Those that do not depend on the tick at which a failed attempt's last pod is gone."""


def a_world(name: str, crasher: Crasher | None = None, nodes: int = 1, **more: object) -> TrainingWorld:
    codes, limit, actions = SCENARIOS[name]
    job = a_job(limit)
    if nodes > 1:
        job["spec"]["nodes"] = nodes
    return TrainingWorld(job, codes, actions=dict(actions), crasher=crasher or Crasher(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "nodes"), [*((name, 1) for name in SCENARIOS), *((name, 2) for name in OF_SEVERAL)])
def test_a_crash_at_any_step_ends_as_no_crash(name: str, nodes: int) -> None:
    calm = a_world(name, nodes=nodes).run(45)
    expected = calm.end_state()
    for step, what in enumerate(calm.crasher.steps):
        crashed = a_world(name, Crasher(at=step), nodes=nodes).run(45)
        assert crashed.crashes == 1
        assert crashed.end_state() == expected, f"after a crash {what} (step {step})"


@pytest.mark.parametrize("name", SCENARIOS)
def test_attempts_that_share_a_run_have_one_whatever_crashes(name: str) -> None:
    codes, limit, actions = SCENARIOS[name]
    job = a_job(limit, runPolicy="Reuse")
    calm = TrainingWorld(job, codes, actions=dict(actions)).run(45)
    expected = calm.end_state()
    assert len(calm.mlflow.statuses) <= 1
    for step, what in enumerate(calm.crasher.steps):
        crashed = TrainingWorld(job, codes, actions=dict(actions), crasher=Crasher(at=step)).run(45)
        assert crashed.end_state() == expected, f"after a crash {what} (step {step})"


@pytest.mark.parametrize("name", SCENARIOS)
def test_runs_that_the_code_starts_are_found_whatever_crashes(name: str) -> None:
    codes, limit, actions = SCENARIOS[name]
    job = a_job(limit, runPolicy="Adopt")
    calm = TrainingWorld(job, codes, actions=dict(actions)).run(45)
    for step, what in enumerate(calm.crasher.steps):
        crashed = TrainingWorld(job, codes, actions=dict(actions), crasher=Crasher(at=step)).run(45)
        assert ending_of(crashed) == ending_of(calm), f"after a crash {what} (step {step})"
        assert "RUNNING" not in crashed.mlflow.statuses.values()
        # Whether a pod that is stopped early started a run is a matter of moments; what there is has to be known.
        attempts = {item["number"]: item.get("runID") for item in crashed.resource["status"]["attempts"]}
        assert attempts | {known.attempt: run for run, known in crashed.mlflow.identities.items()} == attempts


def ending_of(world: TrainingWorld) -> dict[str, object]:
    """How it ended, whatever its runs are called."""
    found = world.end_state()
    attempts = [(item["number"], item["reason"]) for item in world.resource["status"].get("attempts", [])]
    return {name: found[name] for name in ("versions", "jobs")} | {
        "attempts": attempts,
        "reason": conditions_of(world.resource)["Complete"]["reason"],
    }


@pytest.mark.parametrize(("name", "nodes"), [*((name, 1) for name in SCENARIOS), *((name, 3) for name in OF_SEVERAL)])
def test_the_end_is_the_one_that_was_meant(name: str, nodes: int) -> None:
    world = a_world(name, nodes=nodes).run(45)
    complete = conditions_of(world.resource)["Complete"]
    meant = {"gives up": "RetryLimitExceeded", "stays suspended": "Suspended"}.get(name, "Succeeded")
    assert complete["reason"] == meant
    assert len(world.mlflow.versions) == (meant == "Succeeded")
    failed = sum(item["reason"] == "Error" for item in world.resource["status"]["attempts"])
    assert failed == sum(map(bool, SCENARIOS[name][0]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_has_ended_is_left_alone(name: str) -> None:
    world = a_world(name).run(45)
    writes = len(world.api.writes)
    world.run(30)
    assert len(world.api.writes) == writes


@pytest.mark.parametrize("question", [EnsureRun, EndRun, FindModels, RegisterVersion, ReadMetrics])
def test_mlflow_may_be_away_at_any_question(question: type) -> None:
    expected = a_world("is retried").run(60).end_state()

    def leave(world: TrainingWorld) -> None:
        world.mlflow.away_for = {question}

    def come_back(world: TrainingWorld) -> None:
        world.mlflow.away_for = set()

    world = a_world("is retried")
    world.actions = {0: leave, 30: come_back}
    assert world.run(90).end_state() == expected


def test_a_success_is_not_forgotten_when_its_job_goes_while_mlflow_is_away() -> None:
    def leave(world: TrainingWorld) -> None:
        world.mlflow.away_for = {EndRun}

    def come_back(world: TrainingWorld) -> None:
        world.mlflow.away_for = set()

    world = a_world("succeeds")
    world.actions = {0: leave, 12: delete_the_job, 20: come_back}
    world.run(60)
    assert [item["reason"] for item in world.resource["status"]["attempts"]] == ["Succeeded"]
    assert len(world.mlflow.versions) == 1


def test_a_life_costs_four_writes() -> None:
    world = a_world("succeeds").run(45)
    assert [verb for verb, *_ in world.api.writes] == ["create", "status", "status", "status"]


def test_several_pods_cost_a_service_more_and_a_status_less() -> None:
    world = a_world("succeeds", nodes=3).run(45)
    assert [(verb, kind) for verb, kind, _ in world.api.writes] == [
        ("create", "Service"),
        ("create", "Job"),
        ("status", "TrainingJob"),
        ("status", "TrainingJob"),
    ]


@pytest.mark.parametrize("seed", range(60))
def test_crashes_late_events_and_outages_break_no_rule(seed: int) -> None:
    names = list(SCENARIOS)
    name = names[seed % len(names)]
    world = a_world(name, Crasher(probability=0.1), nodes=1 + seed % 3, lag=0.5, seed=seed)
    world.mlflow.away = 0.2
    world.run(60)
    world.crasher.probability, world.mlflow.away, world.cache.lag = 0.0, 0.0, 0.0
    world.run(60)
    reason = conditions_of(world.resource)["Complete"]["reason"]
    assert world.is_over() or reason == "Suspended"
    assert "RUNNING" not in world.mlflow.statuses.values()


@pytest.mark.parametrize("tick", range(9))
def test_a_job_deleted_by_someone_is_tried_again(tick: int) -> None:
    world = TrainingWorld(a_job(wait=0), [0], actions={tick: delete_the_job})
    world.run(60)
    assert conditions_of(world.resource)["Complete"]["reason"] == "Succeeded"
    assert len(world.mlflow.versions) == 1


def test_a_stop_is_no_failure_though_no_operator_saw_its_end() -> None:
    actions = {3: suspend, 8: resume}
    calm = TrainingWorld(a_job(), [0], actions=dict(actions)).run()
    for step, what in enumerate(calm.crasher.steps):
        world = TrainingWorld(a_job(), [0], actions=dict(actions), crasher=Crasher(at=step), ticks_down=12).run()
        attempts = world.resource["status"]["attempts"]
        assert {item["reason"] for item in attempts} <= {"Succeeded", "Suspended"}, (
            f"after a crash {what} (step {step})"
        )
        assert "failures" not in world.resource["status"]


@pytest.mark.parametrize("tick", range(12))
def test_a_deleted_job_leaves_no_open_run(tick: int) -> None:
    world = a_world("is retried").run(tick)
    world.delete()
    assert "RUNNING" not in world.mlflow.statuses.values()
    assert not world.api.objects
