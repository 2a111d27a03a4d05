"""Whether one share is larger than another beyond chance."""

import math

Z = 3.09
"""Of the normal distribution, one-sided: a check is wrong about two equal versions once in a thousand times.

A canary is checked again and again; at the usual one in twenty, every longer rollout would find a difference.
"""


def is_beyond_chance(failed: int, of: int, other_failed: int, other_of: int, margin: float) -> bool:
    """Whether the first share exceeds the second by more than the margin, as Newcombe's hybrid score interval says.

    It holds for shares of 0 and 1 and for small counts, where the textbook's normal interval does not.
    """
    share, other = min(1.0, failed / of), min(1.0, other_failed / other_of)
    low, _ = _wilson(failed, of)
    _, high = _wilson(other_failed, other_of)
    return share - other - math.hypot(share - low, high - other) > margin


def is_above(failed: int, of: int, limit: float) -> bool:
    """Whether a share exceeds a limit by more than chance explains."""
    return _wilson(failed, of)[0] > limit


def _wilson(failed: int, of: int) -> tuple[float, float]:
    """Wilson's interval of a share."""
    share, squared = min(1.0, failed / of), Z * Z
    middle = share + squared / (2 * of)
    reach = Z * math.sqrt(share * (1 - share) / of + squared / (4 * of * of))
    return max(0.0, (middle - reach) / (1 + squared / of)), min(1.0, (middle + reach) / (1 + squared / of))
