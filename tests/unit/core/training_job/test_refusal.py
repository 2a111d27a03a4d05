"""Who refused is read from what the API server says; the sentences are those of Kubernetes 1.37."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, TrainingJobBuilder, make_context, make_training_job
from modelyard.core.plan import Failure, Plan, Question
from modelyard.core.refusal import OF_THE_SPEC, reason_of
from modelyard.core.tracking import Ended, EndRun, EnsureRun, Run, RunStatus
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan, plan_refused


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            'pods "x" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=0, limited: pods=0',
            "QuotaExceeded",
        ),
        ('pods "x" is forbidden: failed quota: tight: must specify limits.memory for: trainer', "QuotaExceeded"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": hostPort', "PodSecurityViolated"),
        (
            "jobs.batch \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            "PolicyDenied",
        ),
        ('admission webhook "w.example.com" denied the request: no', "PolicyDenied"),
        ('pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi', "Forbidden"),
    ],
)
def test_a_refusal_has_a_reason(message: str, reason: str) -> None:
    assert reason_of(message, "Forbidden") == reason


@pytest.mark.parametrize("reason", ["Invalid", "BadRequest"])
def test_what_no_cluster_would_take_is_the_specs_own_fault(reason: str) -> None:
    assert reason_of('Job.batch "x" is invalid: spec.template: Required value', reason) in OF_THE_SPEC


def test_a_policy_is_not_though_the_api_server_calls_it_invalid() -> None:
    assert reason_of("ValidatingAdmissionPolicy 'p' denied request: no", "Invalid") not in OF_THE_SPEC


QUOTA = Failure("Forbidden", 'jobs.batch "digits" is forbidden: exceeded quota: tight')
ANSWERS: dict[type, Any] = {EnsureRun: Run("run-1", "7"), EndRun: Ended("RUNNING")}
PATIENT = make_training_job().with_spec(pendingDeadlineSeconds=60)


def settled(builder: TrainingJobBuilder, seconds: float) -> tuple[Observed, Plan]:
    """A plan with all that it asks answered."""
    answers: dict[Question, Any] = {}
    while True:
        observed = Observed(make_context(), answers=answers)
        found = plan(builder.build(), observed, NOW + timedelta(seconds=seconds))
        if not found.questions:
            return observed, found
        answers |= {question: ANSWERS[type(question)] for question in found.questions}


def refused(builder: TrainingJobBuilder, seconds: float) -> Plan:
    """What is told when the API server refuses what is planned."""
    observed, planned = settled(builder, seconds)
    assert planned.create
    return plan_refused(builder.build(), observed, QUOTA, NOW + timedelta(seconds=seconds))


def test_a_refusal_is_looked_at_again_when_its_time_is_over() -> None:
    first = refused(PATIENT, 0)
    assert first.recheck_after == 60
    assert refused(PATIENT.after(first), 45).recheck_after == 15
    assert refused(PATIENT.after(first), 45).status is None, "nothing new is to be written"


def test_without_a_deadline_it_is_tried_for_ever() -> None:
    told = refused(make_training_job(), 0)
    assert (told.recheck_after, "refusedSince" in (told.status or {})) == (None, False)


def test_a_refusal_that_lasts_too_long_ends_the_run_and_then_the_job() -> None:
    late = PATIENT.after(refused(PATIENT, 0))
    late = late.after(refused(late, 60))
    observed, last = settled(late, 61)
    (end,) = [question for question in observed.answers if isinstance(question, EndRun)]
    assert (end.run_id, end.status) == ("run-1", RunStatus.KILLED)
    assert last.create == ()
    assert [event.reason for event in last.events] == ["PendingDeadlineExceeded"]
    told = {item["type"]: item for item in (last.status or {})["conditions"]}
    assert told["Failed"]["message"].startswith(
        "attempt 1 did not start within spec.pendingDeadlineSeconds (60): QuotaExceeded: the API server refused the Job"
    )


def test_suspending_stops_the_clock_of_a_refusal() -> None:
    suspended = PATIENT.after(refused(PATIENT, 0)).suspended()
    _, told = settled(suspended, 30)
    assert "refusedSince" not in (told.status or {})
    again = suspended.after(told).resumed()
    assert refused(again, 100).recheck_after == 60


MISMATCH = Failure("Invalid", 'Job.batch "x" is invalid: spec.template.spec.containers[0].volumeMounts[0]: Not found')


def refused_for_good(builder: TrainingJobBuilder, answers: dict[Question, Any]) -> Plan:
    return plan_refused(builder.build(), Observed(make_context(), answers=answers), MISMATCH, NOW)


def test_the_run_of_a_job_that_no_cluster_would_take_ends_as_failed() -> None:
    observed, _ = settled(make_training_job(), 0)
    asked = refused_for_good(make_training_job(), dict(observed.answers))
    (end,) = asked.questions
    assert isinstance(end, EndRun)
    assert (end.run_id, end.status, end.tags) == ("run-1", RunStatus.FAILED, (("modelyard.io/reason", "InvalidSpec"),))
    told = refused_for_good(make_training_job(), {**observed.answers, end: Ended("RUNNING")})
    assert (told.status or {})["problem"] == "InvalidSpec"


def test_an_mlflow_that_is_away_keeps_nobody_from_being_told_what_to_mend() -> None:
    observed, _ = settled(make_training_job(), 0)
    (end,) = refused_for_good(make_training_job(), dict(observed.answers)).questions
    told = refused_for_good(make_training_job(), {**observed.answers, end: Failure("TrackingUnavailable", "away")})
    assert (told.status or {})["problem"] == "InvalidSpec"
