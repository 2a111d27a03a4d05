"""How long a training may run, wait and stay: on time, and never early."""

from datetime import UTC, datetime, timedelta

import pytest

from support.manifests import resource_quota
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

LONG = 3600


def running_seconds(training: Training) -> int:
    """The running time of the attempts that are over."""
    return int(training.status.get("activeSeconds", 0))


def test_running_time_that_is_used_up_ends_it(world: World) -> None:
    training = Training(world, activeDeadlineSeconds=3, retry={"limit": 5})
    training.start()
    training.until_over()
    failed = training.condition("Failed")
    assert failed["reason"] == "DeadlineExceeded"
    assert "spec.activeDeadlineSeconds is 3" in failed["message"]
    assert training.attempt(1)["reason"] == "DeadlineExceeded"
    assert 3 <= running_seconds(training) <= 30
    assert training.pods(1) == []
    assert training.statuses_of_runs() == ["KILLED"]


def test_the_clock_adds_up_over_attempts_and_stops_while_suspended(world: World) -> None:
    training = Training(world, activeDeadlineSeconds=LONG)
    training.start()
    world.until(lambda: has_run_for(training, timedelta(seconds=2)), "it has run for a moment")
    world.patch("TrainingJob", "digits", suspend=True)
    world.until(lambda: training.condition("Suspended").get("reason") == "Suspended", "suspended")
    used = running_seconds(training)
    assert used >= 1
    world.at_no_time(lambda: running_seconds(training) != used, "the clock goes on", 3)
    world.patch("TrainingJob", "digits", suspend=False)
    training.start(2)
    world.patch("TrainingJob", "digits", activeDeadlineSeconds=used)
    training.until_over()
    assert training.condition("Failed")["reason"] == "DeadlineExceeded"
    assert [item["reason"] for item in training.status["attempts"]] == ["DeadlineExceeded", "Suspended"]


def has_run_for(training: Training, span: timedelta) -> bool:
    """Whether its container has run so long: an attempt begins before, on a busy machine long before."""
    [pod] = training.pods(1)
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    return datetime.now(UTC) - datetime.fromisoformat(started) > span


def test_neither_a_nodes_clock_nor_a_restart_makes_it_early(world: World) -> None:
    training = Training(world, activeDeadlineSeconds=LONG, pendingDeadlineSeconds=LONG)
    pod = training.pod()
    world.kubelet.run(pod, clock_ahead=timedelta(hours=-2))
    training.until_state("Running")
    world.operator.stop()
    world.operator.start_and_wait()
    world.patch("TrainingJob", "digits", ttlSecondsAfterFinished=LONG)
    world.until(lambda: training.status.get("observedGeneration") == 2, "the restarted operator has looked at it")
    world.at_no_time(lambda: training.state != "Running", "it was ended early", 3)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"


def test_an_image_that_stays_missing_ends_it(world: World) -> None:
    training = Training(world, pendingDeadlineSeconds=3, retry={"limit": 5})
    world.kubelet.miss_image(training.pod())
    training.until_over()
    failed = training.condition("Failed")
    assert failed["reason"] == "PendingDeadlineExceeded"
    assert "ImagePullFailed" in failed["message"]
    assert training.attempt(1)["reason"] == "ImagePullFailed"
    assert training.status["attempt"] == 1, "another attempt would wait for the same image"
    assert training.statuses_of_runs() == ["KILLED"]
    world.until(lambda: not training.jobs(), "its Job is gone")


def test_a_quota_that_stays_ends_it(world: World) -> None:
    world.create(resource_quota(pods="0"))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    training = Training(world, pendingDeadlineSeconds=7)
    training.until_over()
    assert training.condition("Failed")["reason"] == "PendingDeadlineExceeded"
    assert "exceeded quota: tight" in training.condition("Failed")["message"]
    assert training.attempt(1)["reason"] == "QuotaExceeded"


def test_who_starts_in_time_may_run_on(world: World) -> None:
    training = Training(world, pendingDeadlineSeconds=8)
    pod = training.start()
    world.at_no_time(lambda: training.state != "Running", "it was ended though it runs", 9)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"


def test_when_its_time_is_over_it_goes_with_its_jobs_and_runs_and_models_stay(world: World) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name}, ttlSecondsAfterFinished=LONG)
    pod = training.start()
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over()
    world.at_no_time(lambda: world.get("TrainingJob", "digits") is None, "it went early", 3)
    world.patch("TrainingJob", "digits", ttlSecondsAfterFinished=1)
    world.until(lambda: world.get("TrainingJob", "digits") is None, "it is gone")
    world.until(lambda: not training.jobs() and not training.pods(1), "its Job and its pod are gone")
    assert training.statuses_of_runs() == ["FINISHED"]
    assert [version.version for version in world.tracking.versions_of(name)] == ["1"]


def test_deleting_what_is_over_does_not_touch_its_runs(world: World) -> None:
    training = Training(world, retry={"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}})
    world.kubelet.fail(training.start(1))
    world.kubelet.succeed(training.start(2))
    training.until_over()

    def runs() -> list[tuple[str, int]]:
        return [(run.info.status, run.info.end_time) for run in world.tracking.runs_of(training.uid)]

    before = runs()
    world.delete("TrainingJob", "digits")
    world.until(lambda: world.get("TrainingJob", "digits") is None and not training.jobs(), "it is gone")
    world.at_no_time(lambda: runs() != before, "a run was changed", 3)
    assert [status for status, _ in before] == ["FAILED", "FINISHED"]


def test_a_job_that_the_api_server_refuses_for_so_long_ends_it_and_its_run(world: World) -> None:
    world.create(resource_quota(**{"count/jobs.batch": "0"}))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    training = Training(world, pendingDeadlineSeconds=6)
    world.until(lambda: training.status.get("refusedSince"), "the refusal is noted")
    since = datetime.fromisoformat(training.status["refusedSince"])
    training.until_over()
    ended = datetime.fromisoformat(training.status["completionTime"])
    assert timedelta(seconds=6) <= ended - since <= timedelta(seconds=12)
    failed = training.condition("Failed")
    assert failed["reason"] == "PendingDeadlineExceeded"
    assert "did not start within spec.pendingDeadlineSeconds (6): QuotaExceeded" in failed["message"]
    assert training.attempt(1)["reason"] == training.status["problem"] == "QuotaExceeded"
    assert "refusedSince" not in training.status
    assert training.jobs() == []
    assert training.statuses_of_runs() == ["KILLED"]


def test_a_refusal_that_is_over_in_time_is_forgotten(world: World) -> None:
    world.create(resource_quota(**{"count/jobs.batch": "0"}))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    training = Training(world, pendingDeadlineSeconds=LONG)
    world.until(lambda: training.status.get("refusedSince"), "the refusal is noted")
    world.delete("ResourceQuota", "tight")
    world.kubelet.succeed(training.start())
    training.until_over()
    assert "refusedSince" not in training.status
    assert training.statuses_of_runs() == ["FINISHED"]
