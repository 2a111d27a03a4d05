"""What no status tells of a pod that does not start: Events say it, or that nobody says anything does."""

from typing import Any

import pytest

from builders import NOW, PodBuilder, make_context, make_pod, make_training_job, seconds_ago
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import unstarted
from modelyard.core.errors import Open
from modelyard.core.plan import ObjectRef
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import ReadWarning, Warned
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.observed import Observed

JOB = make_training_job().build()
NOT_MOUNTED = Warned("FailedMount", 'MountVolume.SetUp failed for volume "certs" : secret "certs" not found')
UNBOUND = Trouble("Unschedulable", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")


def subject(answers: dict[Any, Any] | None = None) -> Draft:
    spec = TrainingJobSpec.model_validate(JOB["spec"])
    return Draft(JOB, spec, Observed(make_context(), answers=answers or {}), NOW)


def pod_of(seconds: float, scheduler: str | None = None) -> PodBuilder:
    made = make_pod(JOB).changed("metadata", "creationTimestamp", to=seconds_ago(seconds))
    return made.changed("spec", to={"schedulerName": scheduler} if scheduler else {})


@pytest.mark.parametrize(
    ("scheduler", "seconds", "is_told"),
    [
        ("volcano", 4, False),
        ("volcano", 5, True),
        ("default-scheduler", 29, False),
        ("default-scheduler", 30, True),
        (None, 30, True),
    ],
)
def test_a_scheduler_that_says_nothing_is_named(scheduler: str | None, seconds: float, is_told: bool) -> None:
    found = unstarted.silence(pod_of(seconds, scheduler).build(), NOW)
    said = f"no scheduler called {scheduler or 'default-scheduler'} has taken up the pod"
    assert found == (Trouble("Unschedulable", said) if is_told else None)


@pytest.mark.parametrize("step", [lambda pod: pod.unschedulable(), lambda pod: pod.starting()])
def test_a_scheduler_that_said_something_is_not_missed(step: Any) -> None:
    assert unstarted.silence(step(pod_of(900, "volcano")).build(), NOW) is None


def test_events_tell_of_volumes_that_are_not_there() -> None:
    pod = make_pod(JOB).starting().changed("metadata", "uid", to="p-1").build()
    question = ReadWarning(ObjectRef("v1", "Pod", "team-a", pod["metadata"]["name"], "p-1"))
    with pytest.raises(Open) as open_:
        unstarted.volume_trouble(subject(), pod)
    assert open_.value.questions == (question,)
    assert unstarted.volume_trouble(subject({question: NOT_MOUNTED}), pod) == Trouble("ConfigError", NOT_MOUNTED.note)
    assert unstarted.volume_trouble(subject({question: Warned("BackOff", "x")}), pod) is None
    assert unstarted.volume_trouble(subject({question: None}), pod) is None


@pytest.mark.parametrize("pod", [make_pod(JOB).running(), make_pod(JOB).starting().fetched("a" * 40), make_pod(JOB)])
def test_nobody_is_asked_about_volumes_that_are_there_or_on_no_node(pod: PodBuilder) -> None:
    assert unstarted.volume_trouble(subject(), pod.build()) is None


def test_of_several_claims_the_one_that_has_no_volume_is_named() -> None:
    questions = [
        ReadWarning(ObjectRef("v1", "PersistentVolumeClaim", "team-a", name, None)) for name in ("fine", "data")
    ]
    answers = dict(zip(questions, (None, Warned("ProvisioningFailed", 'storageclass "x" not found')), strict=True))
    found = unstarted.with_claims_word(subject(answers), ["fine", "data", "data"], UNBOUND)
    said = "name a StorageClass that there is, or make a volume for it"
    assert found == Trouble(
        "Unschedulable", f'PersistentVolumeClaim data is not bound: storageclass "x" not found: {said}'
    )


def test_without_a_word_about_a_claim_the_schedulers_stands() -> None:
    assert unstarted.with_claims_word(subject(), [], UNBOUND) is UNBOUND
    other = Trouble("Unschedulable", "0/1 nodes are available: 1 Insufficient memory.")
    assert unstarted.with_claims_word(subject(), ["data"], other) is other


def test_it_is_looked_at_within_ten_seconds_and_less_and_less_often() -> None:
    moments = [5.0]
    while moments[-1] < 3600:
        moments.append(
            moments[-1] + unstarted.recheck_seconds(NOW - NOW.__class__.fromisoformat(seconds_ago(moments[-1])))
        )
    assert sum(1 for moment in moments if moment < 10) >= 2
    assert len(moments) < 30
