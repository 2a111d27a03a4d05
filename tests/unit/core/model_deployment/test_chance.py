"""A share is larger than another one only beyond chance."""

import random

import pytest

from modelyard.core.model_deployment.chance import is_above, is_beyond_chance


@pytest.mark.parametrize(
    ("failed", "of", "other_failed", "other_of", "is_beyond"),
    [
        (100, 100, 0, 900, True),
        (10, 100, 0, 900, True),
        (3, 100, 0, 900, True),
        (1, 100, 0, 900, False),
        (0, 100, 0, 900, False),
        (5, 100, 45, 900, False),
        (9, 100, 45, 900, False),
        (20, 100, 45, 900, True),
        (100, 100, 900, 900, False),
        (1, 1, 0, 1, False),
        (10, 100, 1, 2, False),
    ],
)
def test_what_counts_as_more(failed: int, of: int, other_failed: int, other_of: int, is_beyond: bool) -> None:
    assert is_beyond_chance(failed, of, other_failed, other_of, 0) is is_beyond


def test_a_margin_is_room() -> None:
    assert is_beyond_chance(100, 1000, 0, 9000, 0.05)
    assert not is_beyond_chance(100, 1000, 0, 9000, 0.10)


def test_two_versions_that_fail_alike_are_taken_for_different_ones_once_in_hundreds_of_checks() -> None:
    chance = random.Random(7)

    def failures(of: int) -> int:
        return sum(chance.random() < 0.05 for _ in range(of))

    wrong = sum(is_beyond_chance(failures(100), 100, failures(400), 400, 0) for _ in range(2000))
    assert wrong <= 10


@pytest.mark.parametrize(
    ("failed", "of", "limit", "is_more"),
    [
        (3, 100, 0.02, False),
        (6, 100, 0.02, False),
        (9, 100, 0.02, True),
        (30, 1000, 0.02, False),
        (40, 1000, 0.02, True),
        (1, 100, 0.0, True),
        (0, 100, 0.0, False),
        (100, 100, 1.0, False),
    ],
)
def test_a_share_is_above_a_limit_only_beyond_chance(failed: int, of: int, limit: float, is_more: bool) -> None:
    assert is_above(failed, of, limit) is is_more
