"""The trickle's counts as the demo reads them."""

import pytest

from tools.demo.traffic import Counts, parse_counts
from tools.demo.trickle import Tally


def counts(**changes: object) -> Counts:
    return Counts(**{"answers": {"2": 9}, "failures": 0, "errors": (), "newest": "2", "alone_seconds": 6.0} | changes)


def test_what_the_pod_prints_is_what_the_demo_reads() -> None:
    tally = Tally(0.0)
    tally.answered("1", 1.0)
    tally.failed(OSError("no route"), 2.0)

    read = parse_counts(tally.report(3.0))

    assert read == Counts({"1": 1}, 1, ("after 2.0 s: OSError: no route",), "1", 2.0)


@pytest.mark.parametrize("line", ["", "Traceback (most recent call last):", "{}", "[]", "null"])
def test_a_line_without_counts_is_none(line: str) -> None:
    assert parse_counts(line) is None


def test_counts_are_told_in_one_line() -> None:
    assert str(counts(answers={"1": 3, "2": 4}, failures=1)) == "version 1: 3 answers, version 2: 4 answers, 1 failed"


@pytest.mark.parametrize(
    ("changes", "expected"), [({}, True), ({"alone_seconds": 4.9}, False), ({"newest": "1"}, False)]
)
def test_a_switch_is_over_once_the_new_version_has_answered_alone_for_a_while(
    changes: dict[str, object], expected: bool
) -> None:
    assert counts(**changes).has_settled_on("2", 5.0) is expected
