"""The time is the API server's, and what this machine's clock says does not matter."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from modelyard.kube.clock import ServerClock

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)


class Machine:
    """A machine whose wall clock anybody may set, while the other one only counts."""

    def __init__(self) -> None:
        self.counted = 5000.0
        self.wall = NOON
        self.clock = ServerClock(lambda: self.counted, lambda: self.wall)

    def wait(self, seconds: float) -> None:
        self.counted += seconds
        self.wall += timedelta(seconds=seconds)

    def hear(self, moment: datetime) -> None:
        self.clock.note(format_datetime(moment.replace(microsecond=0), usegmt=True))


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_before_the_first_answer_it_is_this_machines(machine: Machine) -> None:
    assert machine.clock.now() == NOON


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(minutes=-5)], ids=str)
def test_after_it_this_machines_clock_does_not_matter(machine: Machine, skew: timedelta) -> None:
    machine.wall += skew
    machine.hear(NOON)
    machine.wait(30)
    machine.wall += 2 * skew
    assert machine.clock.now() == NOON + timedelta(seconds=30)


def test_it_is_never_early_though_dates_have_no_fractions(machine: Machine) -> None:
    true = NOON + timedelta(seconds=0.9)
    for step in (0.0, 0.3, 0.45, 5.2, 0.77, 61.33):
        machine.wait(step)
        true += timedelta(seconds=step)
        machine.hear(true)
        assert timedelta(0) <= true - machine.clock.now() < timedelta(seconds=1)


def test_an_answer_that_was_long_on_its_way_turns_nothing_back(machine: Machine) -> None:
    machine.hear(NOON)
    machine.wait(10)
    machine.hear(NOON + timedelta(seconds=8.5))
    assert machine.clock.now() == NOON + timedelta(seconds=10)


def test_a_server_whose_clock_is_set_back_is_followed(machine: Machine) -> None:
    machine.hear(NOON)
    machine.hear(NOON - timedelta(hours=1))
    assert machine.clock.now() == NOON - timedelta(hours=1)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Jan 2026 12:00:00 GMT"])
def test_an_answer_without_a_date_is_no_answer(machine: Machine, date: str | None) -> None:
    machine.clock.note(date)
    assert machine.clock.now() == NOON
