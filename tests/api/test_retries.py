"""Retries that learn: what ended an attempt decides whether there is another, and what it gets."""

from typing import Any

import pytest

from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

AT_ONCE = {"initialSeconds": 0, "maxSeconds": 0}
RESOURCES = {"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}}


def memory_of(pod: dict[str, Any]) -> tuple[str, str]:
    """Request and limit of the trainer."""
    resources = next(item for item in pod["spec"]["containers"] if item["name"] == "trainer")["resources"]
    return resources["requests"]["memory"], resources["limits"]["memory"]


def test_after_running_out_of_memory_it_gets_more_up_to_the_most(world: World) -> None:
    retry = {"limit": 3, "backoff": AT_ONCE, "onOutOfMemory": {"memoryFactor": "1.5", "maxMemory": "2Gi"}}
    training = Training(world, trainer={"resources": RESOURCES}, retry=retry)
    given = []
    for attempt in range(1, 4):
        pod = training.start(attempt)
        given.append(memory_of(pod))
        world.kubelet.run_out_of_memory(pod)
    last = training.start(4)
    given.append(memory_of(last))
    world.kubelet.succeed(last)
    training.until_over()
    assert given == [("512Mi", "1Gi"), ("768Mi", "1536Mi"), ("1Gi", "2Gi"), ("1Gi", "2Gi")]
    assert [item["memory"] for item in training.status["attempts"]] == ["2Gi", "2Gi", "1536Mi", "1Gi"]
    assert training.statuses_of_runs() == ["FAILED", "FAILED", "FAILED", "FINISHED"]


def test_an_exit_code_that_is_final_ends_it(world: World) -> None:
    retry = {"limit": 5, "backoff": AT_ONCE, "nonRetryableExitCodes": [2, 78]}
    training = Training(world, retry=retry)
    world.kubelet.fail(training.start(1), exit_code=1)
    world.kubelet.fail(training.start(2), exit_code=78, message="no such column: label")
    training.until_over()
    failed = training.condition("Failed")
    assert failed["reason"] == "NonRetryableExitCode"
    assert "exit code 78" in failed["message"]
    assert "no such column: label" in failed["message"]
    assert len(training.jobs()) == 2


def test_what_the_cluster_takes_away_does_not_count_though_the_pod_is_gone(world: World) -> None:
    training = Training(world, retry={"limit": 0, "backoff": AT_ONCE})
    pod = training.start()
    world.kubelet.is_to_evict(pod)
    world.until(lambda: training.attempt(1).get("ending") == "Evicted", "it is written down before the pod is gone")
    world.kubelet.let_go(pod)
    world.kubelet.succeed(training.start(2))
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert training.attempt(1)["reason"] == "Evicted"
    assert "ending" not in training.attempt(1)
    assert training.status["disruptions"] == 1
    assert "failures" not in training.status
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_the_kubelets_evictions_do_not_count_either(world: World) -> None:
    training = Training(world, retry={"limit": 0, "backoff": AT_ONCE})
    for attempt in range(1, 4):
        world.kubelet.evict(training.start(attempt))
    world.kubelet.fail(training.start(4), exit_code=3)
    training.until_over()
    assert training.condition("Failed")["reason"] == "RetryLimitExceeded"
    assert [item["reason"] for item in training.status["attempts"]] == ["Error", *["Evicted"] * 3]
    assert (training.status["failures"], training.status["disruptions"]) == (1, 3)


def test_a_failure_that_repeats_is_told_once(world: World) -> None:
    training = Training(world, retry={"limit": 4, "backoff": AT_ONCE})
    for attempt, code in enumerate([1, 1, 1, 2, 2], start=1):
        world.kubelet.fail(training.start(attempt), exit_code=code)
    training.until_over()
    told = [event["reason"] for event in world.events_about(training.live)]
    assert sorted(told) == ["AttemptFailed", "AttemptFailed", "RetryLimitExceeded"]


def test_those_in_need_can_be_selected(world: World) -> None:
    fine, stuck = Training(world, "fine"), Training(world, "stuck")
    broken = Training(world, "broken", retry={"limit": 0})
    fine.start()
    world.kubelet.fail(broken.start())
    broken.until_over()
    world.kubelet.miss_image(stuck.pod())
    world.until(lambda: stuck.status.get("problem") == "ImagePullFailed", "the missing image is told")
    rows = {row["Name"]: (row["State"], row["Problem"]) for row in world.table("trainingjobs")}
    assert rows == {
        "fine": ("Running", None),
        "stuck": ("Pending", "ImagePullFailed"),
        "broken": ("RetryLimitExceeded", "Error"),
    }
    path = f"/apis/modelyard.io/v1alpha1/namespaces/{world.namespace}/trainingjobs"
    in_need = world.kube.send("GET", path, query={"fieldSelector": "status.problem!="})
    assert sorted(item["metadata"]["name"] for item in in_need["items"]) == ["broken", "stuck"]
