"""Waits double up to the most, and the limit counts failures."""

import pytest

from builders import NOW
from modelyard.api.training_job import Backoff, Retry
from modelyard.core.training_job import retry


@pytest.mark.parametrize(
    ("failures", "limit", "may"),
    [(1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True), (3, 2, False), (100, 100, True)],
)
def test_as_many_attempts_follow_as_the_limit_says(failures: int, limit: int, may: bool) -> None:
    assert retry.may_retry(Retry(limit=limit), failures) is may


@pytest.mark.parametrize(
    ("failures", "initial", "most", "seconds"),
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
def test_the_wait_doubles_up_to_the_most(failures: int, initial: int, most: int, seconds: int) -> None:
    policy = Retry(backoff=Backoff(initial_seconds=initial, max_seconds=most))
    assert retry.wait_seconds(policy, failures) == seconds


def test_the_wait_begins_when_the_attempt_ended() -> None:
    assert (retry.next_attempt_at(Retry(), 1, NOW) - NOW).total_seconds() == 10
