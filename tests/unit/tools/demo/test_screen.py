"""Steps, as they are told."""

import itertools

import pytest

from tools.demo.screen import DemoError, Screen, StepFailed


def screen() -> tuple[Screen, list[str]]:
    """A screen whose clock goes one second forward each time somebody looks at it."""
    lines: list[str] = []
    ticking = itertools.count()
    return Screen(lines.append, lambda: float(next(ticking))), lines


def test_a_step_is_told_with_its_number_and_time() -> None:
    shown, lines = screen()

    with shown.step("First"):
        shown.say("a detail")
    with shown.step("Second"):
        pass

    assert lines == ["", "1. First", "    a detail", "    (1.0 s)", "", "2. Second", "    (1.0 s)"]


def test_a_failed_step_says_where_to_look() -> None:
    shown, _ = screen()

    with pytest.raises(StepFailed) as failed, shown.step("Install", "kubectl describe pods", "the log"):
        raise DemoError("no room")

    assert (failed.value.title, failed.value.why) == ("Install", "no room")
    assert failed.value.look_at == ("kubectl describe pods", "the log")


def test_a_mistake_in_the_demo_itself_is_not_dressed_up_as_a_failed_step() -> None:
    shown, _ = screen()

    with pytest.raises(KeyError), shown.step("Install"):
        raise KeyError("typo")
