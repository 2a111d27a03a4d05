"""The Job says that an attempt is over, its pod says how; neither the code nor a helper can say it for them."""

import json

import pytest

from builders import NOW, make_job, make_pod, make_training_job
from modelyard.core.tracking import RunStatus
from modelyard.core.training_job.outcome import is_finished, outcome_of, run_status_of

RESOURCE = make_training_job().build()


@pytest.mark.parametrize(
    ("job", "finished"),
    [
        (make_job(RESOURCE), False),
        (make_job(RESOURCE).terminating(), False),
        (make_job(RESOURCE).complete(), True),
        (make_job(RESOURCE).failed(), True),
        (make_job(RESOURCE).changed("status", "conditions", to=[{"type": "FailureTarget", "status": "True"}]), False),
        (make_job(RESOURCE).changed("status", "conditions", to=[{"type": "Complete", "status": "False"}]), False),
    ],
)
def test_a_job_is_finished_when_its_condition_says_so(job, finished) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert is_finished(job.build()) is finished


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("Succeeded", RunStatus.FINISHED),
        ("Error", RunStatus.FAILED),
        ("OOMKilled", RunStatus.FAILED),
        ("PodLost", RunStatus.FAILED),
        ("SourceInvalid", RunStatus.FAILED),
        ("Evicted", RunStatus.KILLED),
        ("Preempted", RunStatus.KILLED),
        ("NodeLost", RunStatus.KILLED),
        ("Suspended", RunStatus.KILLED),
        ("JobDeleted", RunStatus.KILLED),
        ("DeadlineExceeded", RunStatus.KILLED),
        ("PendingDeadlineExceeded", RunStatus.KILLED),
        ("Requeued", RunStatus.KILLED),
    ],
)
def test_a_run_ends_as_its_attempt_did(reason: str, status: RunStatus) -> None:
    assert run_status_of(reason) is status


def test_a_success_is_told_with_its_node_and_pod() -> None:
    outcome = outcome_of(make_job(RESOURCE).complete().build(), [make_pod(RESOURCE).succeeded().build()], NOW)
    assert outcome is not None
    assert outcome.is_success
    assert (outcome.exit_code, outcome.node) == (0, "node-1")


def test_a_success_needs_no_pod() -> None:
    outcome = outcome_of(make_job(RESOURCE).complete().build(), [], NOW)
    assert outcome is not None
    assert outcome.is_success


def test_a_failure_waits_for_its_pods_word() -> None:
    assert outcome_of(make_job(RESOURCE).failed(2).build(), [make_pod(RESOURCE).running().build()], NOW) is None


def test_a_failure_does_not_wait_for_ever() -> None:
    outcome = outcome_of(make_job(RESOURCE).failed(11).build(), [], NOW)
    assert outcome is not None
    assert outcome.reason == "PodLost"


def test_a_job_that_failed_although_its_pod_succeeded_is_a_failure() -> None:
    outcome = outcome_of(make_job(RESOURCE).failed().build(), [make_pod(RESOURCE).succeeded().build()], NOW)
    assert outcome is not None
    assert (outcome.reason, outcome.is_success) == ("Error", False)


@pytest.mark.parametrize("claimed", ["Succeeded", "Suspended", "JobDeleted"])
def test_a_helper_cannot_claim_a_reason_of_the_operators(claimed: str) -> None:
    said = json.dumps({"reason": claimed, "message": "trust me"})
    item = {"name": "prepare", "state": {"terminated": {"exitCode": 1, "message": said}}}
    pod = make_pod(RESOURCE).starting().changed("status", "phase", to="Failed")
    pod = pod.changed("status", "initContainerStatuses", to=[item])
    outcome = outcome_of(make_job(RESOURCE).failed().build(), [pod.build()], NOW)
    assert outcome is not None
    assert outcome.reason == "Error"


SEVERAL = make_training_job().with_nodes(3).build()


def node(index: int):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a builder of a pod
    return make_pod(SEVERAL, 1, index)


@pytest.mark.parametrize(
    ("pods", "told"),
    [
        (
            [node(0).failed(1, seconds_before=4), node(1).failed(7, seconds_before=6), node(2).failed(1)],
            (1, "Error", 7),
        ),
        ([node(0).failed(1, seconds_before=6), node(1).out_of_memory(), node(2).failed(1)], (1, "OOMKilled", 137)),
        ([node(0).failed(143, seconds_before=9).terminating(), node(2).failed(3, seconds_before=5)], (2, "Error", 3)),
        ([node(0).failed(1, seconds_before=9), node(1).evicted()], (1, "Evicted", 137)),
        (
            [node(0).failed(1, seconds_before=9), node(2).disrupted("DeletionByTaintManager").terminating()],
            (2, "NodeLost", 137),
        ),
        ([node(0).succeeded(9), node(1).failed(2)], (1, "Error", 2)),
        ([node(1).failed(2), node(0).failed(2)], (0, "Error", 2)),
        ([node(1).failed(143).terminating(), node(2).failed(143).terminating()], (1, "Error", 143)),
    ],
    ids=[
        "the earliest",
        "within a second what is no mere error",
        "not one that was stopped because of it",
        "what the kubelet took away",
        "what went with its node",
        "not one that succeeded",
        "the lowest index of equals",
        "stopped ones where nothing else is known",
    ],
)
def test_of_several_pods_the_one_is_told_that_failed_first(pods: list, told: tuple[int, str, int]) -> None:  # type: ignore[type-arg]
    built = [pod.build() for pod in pods]
    for order in (built, built[::-1]):
        outcome = outcome_of(make_job(SEVERAL).failed().build(), order, NOW)
        assert outcome is not None
        assert outcome.message.startswith(f"pod {told[0]} of 3 failed first")
        assert (outcome.reason, outcome.exit_code) == told[1:]
        assert outcome.pod == f"digits-cf4c4732-1-{told[0]}-x7k2p"


def test_the_word_of_every_pod_is_awaited_for_a_while() -> None:
    pods = [node(0).failed(1).build(), node(1).running().build()]
    assert outcome_of(make_job(SEVERAL).failed(5).build(), pods, NOW) is None
    outcome = outcome_of(make_job(SEVERAL).failed(11).build(), pods, NOW)
    assert outcome is not None
    assert outcome.message == "pod 0 of 3 failed first"


def test_a_success_of_several_pods_is_told_of_the_first() -> None:
    pods = [node(index).succeeded().build() for index in (2, 0, 1)]
    outcome = outcome_of(make_job(SEVERAL).complete().build(), pods, NOW)
    assert outcome is not None
    assert outcome.is_success
    assert outcome.pod == "digits-cf4c4732-1-0-x7k2p"
