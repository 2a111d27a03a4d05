"""The story's small decisions."""

import pytest

from tools.demo import story
from tools.demo.digits import Answer
from tools.demo.screen import DemoError, Screen
from tools.demo.traffic import Counts


def counts(failures: int = 0, newest: str = "2", alone_seconds: float = 6.0) -> Counts:
    return Counts({"1": 5, newest: 7}, failures, ("HTTP 503",) * failures, newest, alone_seconds)


def test_a_url_in_the_cluster_is_reached_through_the_api_server() -> None:
    path = story.proxy_path("http://digits.ml.svc:9000/v2/models/model/infer")

    assert path == "/api/v1/namespaces/ml/services/digits:9000/proxy/v2/models/model/infer"


def test_a_job_has_no_version_before_it_registered_one() -> None:
    assert story.new_version({"metadata": {}}) is None
    assert story.new_version({"status": {"modelVersion": {"name": "digits", "version": "2"}}}) == "2"


@pytest.mark.parametrize(
    ("stable", "newest", "expected"), [("2", "2", True), ("1", "2", False), ("2", "1", False), (None, "2", False)]
)
def test_the_switch_is_over_when_status_and_answers_agree(stable: str | None, newest: str, expected: bool) -> None:
    deployment = {"status": {"stable": {"version": stable}} if stable else {}}

    assert story.serves_alone(deployment, "2", counts(newest=newest)) is expected


def test_one_failed_request_fails_the_demo() -> None:
    with pytest.raises(DemoError, match="1 requests failed during the switch: HTTP 503"):
        story.judge(counts(failures=1), Screen(lambda _: None))


def test_no_failed_request_is_told_as_such() -> None:
    lines: list[str] = []

    story.judge(counts(), Screen(lines.append))

    assert lines == ["    In all: version 1: 5 answers, version 2: 7 answers, 0 failed."]


def test_only_digits_that_are_read_differently_are_shown_again() -> None:
    before = Answer("1", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9))
    now = Answer("2", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3))

    scans, answer = story.changed(before, now)

    assert [scan.label for scan in scans] == [3]
    assert answer == Answer("2", (3,))


def test_the_summary_counts_what_was_read_rightly() -> None:
    answer = Answer("1", (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9))

    assert story.summary(answer) == "Version 1 of model digits answered: 10 of 11 read rightly."
