"""No clock fires early: not after a restart, not with a node's clock that is another, not while nothing runs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import INDEX, NOW, PodBuilder, make_context, make_job, make_pod, make_training_job, seconds_ago
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import clock
from modelyard.core.plan import Manifest
from modelyard.core.training_job import deadline
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.observed import Observed

RESOURCE = make_training_job().build()
HOUR = 3600.0


def draft_of(now: datetime = NOW, used: int = 0, **spec: int) -> Draft:
    resource = make_training_job().with_spec(**spec).with_status({"activeSeconds": used} if used else {}).build()
    return Draft(resource, TrainingJobSpec.model_validate(resource["spec"]), Observed(make_context()), now)


def running(since: float) -> PodBuilder:
    return make_pod(RESOURCE).running().changed("status", "containerStatuses", to=[_item("trainer", started=since)])


def ended(since: float, until: float) -> PodBuilder:
    item = _item("trainer", started=since, ended=until)
    return make_pod(RESOURCE).failed().changed("status", "containerStatuses", to=[item])


def _item(name: str, started: float | None = None, ended: float | None = None) -> Manifest:
    if ended is not None:
        times = {"finishedAt": seconds_ago(ended)} | ({"startedAt": seconds_ago(started)} if started else {})
        return {"name": name, "state": {"terminated": {"exitCode": 1} | times}}
    return {"name": name, "state": {"running": {"startedAt": seconds_ago(started or 0)}}}


@pytest.mark.parametrize(
    ("pods", "seconds"),
    [
        ([], 0),
        ([make_pod(RESOURCE)], 0),
        ([make_pod(RESOURCE).starting()], 0),
        ([running(30)], 30),
        ([running(-30)], 0),
        ([ended(100, 40)], 60),
        ([ended(40, 100)], 0),
        ([running(30), running(50)], 50),
        ([ended(100, 90), running(50)], 100),
        ([ended(100, 90), ended(100, 20)], 80),
    ],
)
def test_the_running_time_is_from_the_first_start_to_the_last_end(pods: list[PodBuilder], seconds: int) -> None:
    assert deadline.running_seconds([pod.build() for pod in pods], NOW) == seconds


def test_preparing_is_running() -> None:
    pod = running(30).changed("status", "initContainerStatuses", to=[_item("prepare", started=100, ended=31)]).build()
    assert deadline.running_seconds([pod], NOW) == 100


def test_a_pod_that_ended_without_telling_when_ran_until_it_was_told() -> None:
    pod = running(30).changed("status", "phase", to="Failed").build()
    assert deadline.running_seconds([pod], NOW - timedelta(seconds=10)) == 20


@pytest.mark.parametrize(
    ("most", "used", "since", "over"),
    [
        (60, 0, 59, False),
        (60, 0, 60, True),
        (60, 30, 29, False),
        (60, 30, 30, True),
        (60, 60, 0, True),
        (1, 0, 0, False),
    ],
)
def test_running_time_adds_up_over_attempts(most: int, used: int, since: int, over: bool) -> None:
    draft = draft_of(used=used, activeDeadlineSeconds=most)
    assert deadline.is_used_up(draft, [running(since).build()]) is over
    assert draft.recheck_after == (None if over else most - used - since)


def test_without_a_deadline_nothing_is_ever_used_up() -> None:
    assert not deadline.is_used_up(draft_of(used=10**9), [running(10**6).build()])
    assert not deadline.has_waited_too_long(draft_of(), {}, {}, [])


def test_nothing_ticks_while_nothing_runs() -> None:
    draft = draft_of(used=30, activeDeadlineSeconds=60)
    assert not deadline.is_used_up(draft, [])
    assert draft.recheck_after is None


def waited(pods: list[PodBuilder], most: int = 60, started: float = 60, job: Any = None, nodes: int = 1) -> bool:
    record = {"number": 1, "startTime": seconds_ago(started)}
    manifest = job or make_job(RESOURCE).build()
    return deadline.has_waited_too_long(
        draft_of(pendingDeadlineSeconds=most, nodes=nodes), record, manifest, [pod.build() for pod in pods]
    )


@pytest.mark.parametrize(
    "pods",
    [[], [make_pod(RESOURCE)], [make_pod(RESOURCE).unschedulable()], [make_pod(RESOURCE).without_image()]],
    ids=["no pod", "new", "unschedulable", "no image"],
)
def test_waiting_comes_to_an_end(pods: list[PodBuilder]) -> None:
    assert waited(pods)
    assert not waited(pods, started=59)


@pytest.mark.parametrize(
    "pod", [running(1), ended(2, 1), make_pod(RESOURCE).succeeded()], ids=["runs", "failed", "done"]
)
def test_who_has_started_does_not_wait(pod: PodBuilder) -> None:
    assert not waited([pod], started=10**6)


def test_several_pods_start_all_or_not_at_all() -> None:
    first, second = (
        make_pod(RESOURCE).changed("metadata", "annotations", to={INDEX: str(index)}) for index in range(2)
    )
    starts = first.running().changed("status", "containerStatuses", to=[_item("trainer", started=30)])
    assert waited([starts, second.unschedulable()], nodes=2)
    assert waited([starts], nodes=2), "a quota may have let in one of two"
    runs = second.running().changed("status", "containerStatuses", to=[_item("trainer", started=30)])
    assert not waited([starts, runs], nodes=2)


def test_preparing_is_no_waiting_and_what_comes_after_it_is_counted_anew() -> None:
    pod = make_pod(RESOURCE).starting()
    prepares = pod.changed("status", "initContainerStatuses", to=[_item("prepare", started=500)])
    assert not waited([prepares], started=600)
    prepared = pod.changed("status", "initContainerStatuses", to=[_item("prepare", started=500, ended=59)])
    assert not waited([prepared], started=600)
    assert waited([prepared], started=600, most=59)


def test_a_sidecar_that_runs_beside_is_no_preparation() -> None:
    beside = [{"name": "proxy", "restartPolicy": "Always"}]
    pod = make_pod(RESOURCE).without_image().changed("spec", "initContainers", to=beside)
    assert waited([pod.changed("status", "initContainerStatuses", to=[_item("proxy", started=500)])])


def test_the_time_in_a_queue_is_not_counted() -> None:
    job = make_job(RESOURCE).changed("status", "startTime", to=seconds_ago(59)).build()
    assert not waited([], started=10**6, job=job)
    assert waited([], started=10**6, job=job, most=59)


def test_a_job_that_its_queue_has_just_let_run_has_not_waited_yet() -> None:
    held = {"type": "Suspended", "status": "True"}
    job = make_job(RESOURCE).changed("status", "conditions", to=[held]).build()
    assert not waited([], started=10**6, job=job)
    job["status"] = {"conditions": [held | {"status": "False"}], "startTime": seconds_ago(59)}
    assert not waited([], started=10**6, job=job)


def node(pod: PodBuilder, skew: float, scheduled: datetime, seen: datetime) -> Manifest:
    """The pod as a node tells of it whose clock is that far ahead."""
    told = pod.build()
    told["status"]["startTime"] = clock.to_text(seen + timedelta(seconds=skew))
    condition = {"type": "PodScheduled", "status": "True", "lastTransitionTime": clock.to_text(scheduled)}
    told["status"]["conditions"] = [condition]
    for item in _told_times(told):
        for name in ("startedAt", "finishedAt"):
            if name in item:
                item[name] = clock.to_text(clock.from_text(item[name]) + timedelta(seconds=skew))
    return told


def _told_times(pod: Manifest) -> Iterator[dict[str, Any]]:
    for item in pod["status"]["containerStatuses"]:
        yield from item["state"].values()


@given(
    skew=st.floats(-HOUR, HOUR), ran=st.integers(0, 7200), most=st.integers(1, 7200), slow=st.integers(0, 2),
)  # fmt: skip
def test_a_nodes_clock_makes_no_deadline_early(skew: float, ran: int, most: int, slow: int) -> None:
    scheduled = NOW - timedelta(seconds=ran + slow)
    pod = node(running(ran), skew, scheduled, scheduled + timedelta(seconds=slow))
    told = deadline.running_seconds([pod], NOW)
    assert told <= ran + slow + 1, "late is allowed, early only by what the kubelet took to see the pod"
    assert told >= ran - max(0.0, skew) - 1, "and late by no more than the skew"
    if ran + slow + 1 < most:
        assert not deadline.is_used_up(draft_of(activeDeadlineSeconds=most), [pod])


@given(skew=st.floats(-HOUR, HOUR), ran=st.integers(0, 7200), ago=st.integers(0, 7200))
def test_a_nodes_clock_does_not_matter_once_it_has_ended(skew: float, ran: int, ago: int) -> None:
    scheduled = NOW - timedelta(seconds=ran + ago)
    pod = node(ended(ran + ago, ago), skew, scheduled, scheduled)
    assert abs(deadline.running_seconds([pod], NOW) - ran) <= 1
