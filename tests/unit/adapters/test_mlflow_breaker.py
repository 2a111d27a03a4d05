"""When a server that does not answer is asked again."""

import pytest

from modelyard.adapters.mlflow.breaker import CircuitBreaker, Pauses
from modelyard.core.plan import Failure

AWAY = Failure("TrackingUnavailable", "connection refused")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock, Pauses())


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.failed(AWAY)


def test_two_failures_do_not_open_it(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.admit() is None


def test_an_answer_between_failures_starts_the_count_again(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert not breaker.is_open


def test_after_three_failures_in_a_row_it_answers_with_the_last_one(breaker: CircuitBreaker) -> None:
    fail(breaker, 3)
    assert breaker.admit() == AWAY


def test_after_a_pause_one_question_is_let_through(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    assert [breaker.admit() for _ in range(3)] == [None, AWAY, AWAY]


def test_a_probe_that_never_reports_does_not_block_for_ever(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    breaker.admit()
    clock.now += 30.0
    assert breaker.admit() is None


def test_an_answered_probe_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 1.0
    breaker.admit()
    breaker.succeeded()
    assert [breaker.admit() for _ in range(3)] == [None, None, None]


def test_pauses_double_and_stop_growing_at_ten_seconds(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    assert [measure_pause(breaker, clock) for _ in range(7)] == [1, 2, 4, 8, 10, 10, 10]


def test_days_of_failures_do_not_overflow(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 100_000)
    assert measure_pause(breaker, clock) == 10


def measure_pause(breaker: CircuitBreaker, clock: Clock) -> int:
    for seconds in range(60):
        if breaker.admit() is None:
            breaker.failed(AWAY)
            return seconds
        clock.now += 1.0
    pytest.fail("no probe within a minute")
