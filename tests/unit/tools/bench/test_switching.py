"""Which version comes next, and how counts are told."""

import math

import pytest

from tools.bench.audit import Write
from tools.bench.pods import Count
from tools.bench.switching import first_told, in_words, other


@pytest.mark.parametrize(("now", "expected"), [("3", "4"), ("4", "3")])
def test_versions_are_switched_back_and_forth(now: str, expected: str) -> None:
    assert other({"3": {}, "4": {}}, now) == expected


@pytest.mark.parametrize(
    ("failures", "errors", "expected"),
    [(0, (), "0 failed"), (1, ("HTTP 503",), "1 failed (HTTP 503)")],
)
def test_failures_are_told_with_their_words(failures: int, errors: tuple[str, ...], expected: str) -> None:
    counted = Count({"1": 1, "2": 2}, failures, errors, at=0, newest="2", alone_seconds=0, slowest_seconds=0.5)

    assert in_words(counted) == f"3 answers, slowest 0.50 s, {expected}"


@pytest.mark.parametrize(("version", "expected"), [("2", 7.0), ("3", math.inf)])
def test_a_server_is_told_of_a_version_when_its_object_first_says_so(version: str, expected: float) -> None:
    said = [(5.0, {"modelyard.io/model-version": "1"}), (7.0, {"modelyard.io/model-version": "2"}), (6.0, {})]
    writes = [Write(at, {"metadata": {"labels": labels}}) for at, labels in said]
    writes.append(Write(9.0, {"metadata": {"labels": {"modelyard.io/model-version": "2"}}}))

    assert first_told(writes, version) == expected
