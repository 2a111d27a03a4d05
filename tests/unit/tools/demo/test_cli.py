"""The command line."""

import pytest

from tools.demo.cli import chosen_place, parse_arguments, tell_failure
from tools.demo.place import GivenPlace, LocalPlace
from tools.demo.screen import StepFailed


def test_without_a_context_the_demo_runs_on_the_local_cluster() -> None:
    assert isinstance(chosen_place(parse_arguments(["up"])), LocalPlace)


def test_with_a_context_it_runs_there() -> None:
    options = parse_arguments(["up", "--context", "kind", "--registry", "reg.example.org/ml"])

    assert chosen_place(options) == GivenPlace("kind", None, "reg.example.org/ml")


def test_a_way_to_load_images_without_a_context_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["up", "--registry", "reg.example.org/ml"])

    assert "--context" in capsys.readouterr().err


def test_a_failure_is_told_with_what_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    tell_failure(StepFailed("Install", "no room", ["kubectl describe pods", ""]))

    assert capsys.readouterr().err.splitlines() == [
        "",
        "This step failed: Install",
        "  no room",
        "What to look at:",
        "  kubectl describe pods",
    ]


def test_of_a_long_failure_the_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_failure(StepFailed("Install", "\n".join([*("not yet",) * 50, "timed out"]), []))

    assert capsys.readouterr().err.splitlines()[-1] == "  timed out"
