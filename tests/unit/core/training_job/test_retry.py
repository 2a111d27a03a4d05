"""Waits double up to the most, no two jobs wait alike, and only what the code did counts against its limit."""

from typing import Any

import pytest

from builders import NOW
from modelyard.api.training_retry import Backoff, Retry
from modelyard.core.training_job import retry

FAILED = {"reason": "Error", "exitCode": 3}


@pytest.mark.parametrize(
    ("failures", "limit", "may"),
    [(1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True), (3, 2, False), (100, 100, True)],
)
def test_as_many_attempts_follow_as_the_limit_says(failures: int, limit: int, may: bool) -> None:
    reason = retry.why_not(Retry(limit=limit), {"failures": failures}, FAILED)
    assert reason == (None if may else "RetryLimitExceeded")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (FAILED, "NonRetryableExitCode"),
        (FAILED | {"exitCode": 4}, None),
        (FAILED | {"exitCode": None}, None),
        (FAILED | {"container": "sidecar"}, None),
        ({"reason": "OOMKilled", "exitCode": 3}, None),
        ({"reason": "Evicted", "exitCode": 3}, None),
        ({"reason": "Error", "exitCode": 3, "container": "modelyard-source"}, None),
    ],
    ids=str,
)
def test_an_exit_code_of_the_trainer_can_be_final(record: dict[str, Any], reason: str | None) -> None:
    policy = Retry(limit=5, non_retryable_exit_codes=[2, 3])
    assert retry.why_not(policy, {"failures": 1}, record) == reason


@pytest.mark.parametrize(
    ("container", "said", "is_final"),
    [
        ("modelyard-source", "SourceInvalid", True),
        ("modelyard-project", "ProjectInvalid", True),
        ("modelyard-source", "SourceFailed", False),
        ("modelyard-source", "VolumeUnusable", False),
        ("modelyard-project", "SourceInvalid", False),
        ("of-the-template", "SourceInvalid", False),
        (None, "SourceInvalid", False),
    ],
)
def test_what_every_attempt_would_find_ends_the_job_at_once(container: str | None, said: str, is_final: bool) -> None:
    record = {"reason": said, "exitCode": 1} | ({"container": container} if container else {})
    assert retry.why_not(Retry(limit=5), {"failures": 1}, record) == (said if is_final else None)


@pytest.mark.parametrize("reason", ["Evicted", "Preempted", "NodeLost"])
def test_what_the_cluster_ended_has_a_bound_of_its_own(reason: str) -> None:
    status: dict[str, Any] = {"failures": 0}
    for _ in range(retry.MOST_DISRUPTIONS):
        retry.count(status, reason)
        assert retry.why_not(Retry(limit=0), status, {"reason": reason}) is None
    retry.count(status, reason)
    assert retry.why_not(Retry(limit=0), status, {"reason": reason}) == "DisruptionLimitExceeded"
    assert status == {"failures": 0, "disruptions": retry.MOST_DISRUPTIONS + 1}


@pytest.mark.parametrize("reason", ["Error", "OOMKilled", "PodLost", "JobDeleted", "ConfigError"])
def test_what_is_not_the_clusters_counts_as_a_failure(reason: str) -> None:
    status: dict[str, Any] = {}
    retry.count(status, reason)
    assert status == {"failures": 1}


@pytest.mark.parametrize(
    ("ends", "initial", "most", "seconds"),
    [
        (1, 10, 300, 10),
        (2, 10, 300, 20),
        (3, 10, 300, 40),
        (6, 10, 300, 300),
        (101, 10, 300, 300),
        (101, 1, 86400, 86400),
        (1, 300, 10, 10),
        (5, 0, 300, 0),
    ],
)
def test_the_wait_doubles_up_to_the_most_and_is_at_least_half_of_it(
    ends: int, initial: int, most: int, seconds: int
) -> None:
    policy = Retry(backoff=Backoff(initial_seconds=initial, max_seconds=most))
    assert retry.wait_seconds(policy, ends, 0.0) == seconds
    assert retry.wait_seconds(policy, ends, 0.5) == seconds - seconds // 4
    assert retry.wait_seconds(policy, ends, 0.9999999) - seconds / 2 in {0, 0.5, 1}


def test_a_thousand_jobs_that_fail_together_do_not_come_back_together() -> None:
    policy = Retry(backoff=Backoff(initial_seconds=300))
    moments = [retry.next_attempt_at(policy, {"failures": 1}, f"uid-{number}", NOW) for number in range(1000)]
    assert all(150 <= (moment - NOW).total_seconds() <= 300 for moment in moments)
    busiest = max(moments.count(moment) for moment in set(moments))
    assert busiest < 25, "of a thousand in 150 s, about seven come back in the same second"


def test_the_same_object_waits_the_same_time_after_a_crash() -> None:
    ends = {"failures": 1, "disruptions": 1}
    first, second = (retry.next_attempt_at(Retry(), ends, "uid", NOW) for _ in range(2))
    assert first == second
    assert 10 <= (first - NOW).total_seconds() <= 20
