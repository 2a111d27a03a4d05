"""Several pods that train together, against a real API server and its Job controller."""

import pytest

from support.kube import Manifest
from support.kubelet import NODE
from support.tracking import variables_of
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

AT_ONCE = {"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
NEVER = {"limit": 0}
NODES = 3


def services_of(world: World) -> list[Manifest]:
    return [item for item in world.items("Service") if item["metadata"]["name"].startswith("nodes-")]


def test_all_pods_together_are_one_attempt_with_one_run(world: World) -> None:
    training = Training(world, nodes=NODES, retry=NEVER)
    pods = training.start_nodes(NODES)
    assert training.condition("Complete")["message"] == f"attempt 1 runs in 3 pods, the first on {NODE}"
    for pod in pods:
        world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    (attempt,) = training.status["attempts"]
    assert (attempt["reason"], attempt["exitCode"], attempt["node"]) == ("Succeeded", 0, NODE)
    assert attempt["pod"] == pods[0]["metadata"]["name"]
    assert training.statuses_of_runs() == ["FINISHED"]


def test_pods_can_find_each_other_by_the_name_of_the_first(world: World) -> None:
    training = Training(world, nodes=NODES)
    pods = training.nodes(NODES)
    (service,) = services_of(world)
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    for pod in pods:
        host, _, subdomain = variables_of(pod)["MASTER_ADDR"].partition(".")
        assert host == pods[0]["spec"]["hostname"]
        assert subdomain == pod["spec"]["subdomain"] == service["metadata"]["name"]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    world.delete("TrainingJob", "digits")
    world.until(lambda: not services_of(world), "the Service goes with its owner", 90)


def test_it_does_not_run_before_all_pods_do(world: World) -> None:
    training = Training(world, nodes=NODES)
    pods = training.nodes(NODES)
    for pod in pods[:2]:
        world.kubelet.run(pod)
    world.kubelet.refuse(pods[2], "0/1 nodes are available: 1 Insufficient cpu.")
    told = "(0/1 nodes are available: 1 Insufficient cpu.) (2 of 3 pods run)"
    world.until(
        lambda: training.condition("Complete").get("message", "").endswith(told), "what keeps the third is told"
    )
    assert training.state == "Pending"
    world.kubelet.run(pods[2])
    training.until_state("Running")


def test_all_pods_start_in_time_or_none_goes_on(world: World) -> None:
    training = Training(world, nodes=NODES, pendingDeadlineSeconds=12)
    pods = training.nodes(NODES)
    for pod in pods[:2]:
        world.kubelet.run(pod)
    world.kubelet.refuse(pods[2], "0/1 nodes are available: 1 Insufficient cpu.")
    training.until_over()
    failed = training.condition("Failed")
    assert failed["reason"] == "PendingDeadlineExceeded"
    assert "Insufficient cpu" in failed["message"]
    assert training.attempt(1)["reason"] == "Unschedulable"
    assert training.pods(1) == [], "those that ran are stopped too"
    assert training.statuses_of_runs() == ["KILLED"]


def test_one_pod_that_fails_ends_the_attempt_and_is_the_one_told_of(world: World) -> None:
    training = Training(world, nodes=NODES, retry=AT_ONCE)
    pods = training.start_nodes(NODES)
    world.kubelet.fail(pods[1], exit_code=3, message="ValueError: no such column")
    second = training.start_nodes(NODES, 2)
    first = training.attempt(1)
    assert (first["reason"], first["exitCode"], first["pod"]) == ("Error", 3, pods[1]["metadata"]["name"])
    assert first["message"] == "pod 1 of 3 failed first: ValueError: no such column"
    assert [pod["metadata"]["name"] for pod in training.pods(1)] == [pods[1]["metadata"]["name"]], "the others are gone"
    assert len(services_of(world)) == 1
    for pod in second:
        world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert training.statuses_of_runs() == ["FAILED", "FINISHED"]


def test_at_the_end_the_pod_is_named_whose_log_tells_more(world: World) -> None:
    training = Training(world, nodes=NODES, retry=NEVER)
    pods = training.start_nodes(NODES)
    world.kubelet.run_out_of_memory(pods[2])
    training.until_over()
    message = training.condition("Failed")["message"]
    assert "OOMKilled (exit code 137): pod 2 of 3 failed first" in message
    assert f"kubectl logs {pods[2]['metadata']['name']} -n {world.namespace}" in message


def test_a_deleted_pod_ends_the_attempt_as_a_whole(world: World) -> None:
    training = Training(world, nodes=NODES, retry=NEVER)
    pods = training.start_nodes(NODES)
    world.delete("Pod", pods[0]["metadata"]["name"])
    training.until_over()
    assert training.condition("Failed")["reason"] == "RetryLimitExceeded"
    world.until(lambda: not training.pods(1), "no pod goes on alone")
    assert "RUNNING" not in training.statuses_of_runs()


def test_suspending_stops_all_pods_and_resuming_starts_all_anew(world: World) -> None:
    training = Training(world, nodes=NODES, retry=NEVER)
    training.start_nodes(NODES)
    world.patch("TrainingJob", "digits", suspend=True)
    world.until(lambda: training.condition("Suspended").get("reason") == "Suspended", "suspended")
    assert training.pods(1) == []
    world.patch("TrainingJob", "digits", suspend=False)
    for pod in training.start_nodes(NODES, 2):
        world.kubelet.succeed(pod)
    training.until_over()
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_a_service_that_somebody_deleted_comes_back(world: World) -> None:
    training = Training(world, nodes=NODES)
    training.start_nodes(NODES)
    (service,) = services_of(world)
    world.delete("Service", service["metadata"]["name"])
    world.until(
        lambda: [item["metadata"]["uid"] for item in services_of(world)] not in ([], [service["metadata"]["uid"]]),
        "a new Service",
    )


def test_what_would_keep_pods_apart_is_refused_with_its_field(world: World) -> None:
    own = {"command": ["torchrun", "train.py"], "env": [{"name": "MASTER_ADDR", "value": "elsewhere"}]}
    training = Training(world, nodes=2, trainer=own)
    assert "spec.trainer.env: MASTER_ADDR is set by spec.nodes" in training.until_invalid()
    assert training.jobs() == []
