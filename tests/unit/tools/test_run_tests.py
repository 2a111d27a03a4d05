"""Which tests run side by side, and what the run comes to."""

from pathlib import Path

import pytest

from tools.run_tests import main, parts

ALL = ["tests/unit", "tests/api", "tests/e2e"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (ALL, [["tests/unit", "tests/api"], ["tests/e2e"]]),
        (["tests/e2e"], [["tests/e2e"]]),
        (["tests/unit"], [["tests/unit"]]),
        (["tests/e2e/test_chain.py", "tests/unit"], [["tests/e2e/test_chain.py", "tests/unit"]]),
        ([*ALL, "-k", "retry"], [[*ALL, "-k", "retry"]]),
    ],
)
def test_what_needs_the_node_runs_beside_the_rest(arguments: list[str], expected: list[list[str]]) -> None:
    assert parts(arguments) == expected


@pytest.fixture
def fake_pytest(tmp_path: Path) -> str:
    """A program that says what it was told, and fails where its first argument is in the file `failing`."""
    program = tmp_path / "pytest"
    program.write_text(f'#!/bin/sh\necho "ran $*"\n! grep -qx "$1" {tmp_path}/failing\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(("failing", "code"), [("none", 0), ("tests/unit", 1), ("tests/e2e", 1)])
def test_one_part_that_fails_fails_the_run_and_both_are_told(
    fake_pytest: str, tmp_path: Path, failing: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "failing").write_text(failing)

    assert main([fake_pytest, *ALL]) == code

    assert capfd.readouterr().out.splitlines() == ["ran tests/unit tests/api", "ran tests/e2e"]
