"""Who refused is read from what the API server says; the sentences are those of Kubernetes 1.37."""

import pytest

from modelyard.core.training_job.refusal import OF_THE_SPEC, reason_of


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
