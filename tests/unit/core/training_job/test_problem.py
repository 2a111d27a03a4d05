"""The column that answers which of a thousand jobs need somebody."""

from typing import Any

import pytest

from modelyard.core.training_job.problem import problem_of


def false(kind: str, reason: str) -> dict[str, dict[str, Any]]:
    return {kind: {"type": kind, "status": "False", "reason": reason}}


def true(kind: str, reason: str) -> dict[str, dict[str, Any]]:
    return {kind: {"type": kind, "status": "True", "reason": reason}}


TRACKED = true("Tracked", "RunCreated")


@pytest.mark.parametrize(
    ("conditions", "newest", "trouble", "problem"),
    [
        ({}, {}, None, None),
        (true("Complete", "Succeeded") | false("Tracked", "RunDeleted"), {}, None, None),
        (false("Complete", "Running") | TRACKED, {}, None, None),
        (false("Complete", "Pending") | TRACKED, {}, "Unschedulable", "Unschedulable"),
        (false("Complete", "Running") | TRACKED, {}, "Preempted", "Preempted"),
        (false("Complete", "Suspended") | false("Tracked", "TrackingUnavailable"), {}, None, None),
        (false("Complete", "Queued") | TRACKED, {"reason": "Error"}, None, None),
        (false("Complete", "Retrying") | TRACKED, {"reason": "OOMKilled"}, None, "OOMKilled"),
        (false("Complete", "Pending") | false("Tracked", "TrackingUnavailable"), {}, None, "TrackingUnavailable"),
        (
            false("Complete", "Registering") | TRACKED | false("Registered", "AliasContested"),
            {},
            None,
            "AliasContested",
        ),
        (false("Complete", "Pending") | TRACKED | true("Stalled", "AccessDenied"), {}, None, "AccessDenied"),
        (
            false("Complete", "RetryLimitExceeded") | true("Failed", "RetryLimitExceeded"),
            {"reason": "Error"},
            None,
            "Error",
        ),
        (
            false("Complete", "ModelMissing") | true("Failed", "ModelMissing"),
            {"reason": "Succeeded"},
            None,
            "ModelMissing",
        ),
        (
            false("Complete", "PendingDeadlineExceeded") | true("Failed", "PendingDeadlineExceeded"),
            {"reason": "Unschedulable"},
            None,
            "Unschedulable",
        ),
        (false("Complete", "InvalidSpec") | true("Failed", "InvalidSpec"), {}, None, "InvalidSpec"),
    ],
)
def test_what_needs_somebody_is_told_in_one_word(
    conditions: dict[str, Any], newest: dict[str, Any], trouble: str | None, problem: str | None
) -> None:
    assert problem_of(conditions, newest, trouble) == problem
