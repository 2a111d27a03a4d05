"""What measured values come to, and whether a figure holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: a value that was measured. Raises ValueError without values."""
    if not values:
        raise ValueError("there is no percentile of no values")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(percent / 100 * len(ranked)) - 1)]


def off_by_sigmas(seen: int, total: int, share: float) -> float:
    """How far a count lies from its share of all, in standard deviations of that many independent draws."""
    spread = math.sqrt(total * share * (1 - share))
    return abs(seen - total * share) / spread if spread else (0.0 if seen == total * share else math.inf)


@dataclass(frozen=True)
class Figure:
    """One measured value beside its bound."""

    name: str
    value: float
    bound: float
    unit: str
    is_at_least: bool = False
    """Whether the bound is a floor, not a ceiling."""

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bound; NaN does not."""
        return self.value >= self.bound if self.is_at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign, verdict = "≥" if self.is_at_least else "≤", "holds" if self.holds else "DOES NOT HOLD"
        return f"{self.name:<62} {self.value:>9.3f} {self.unit:<9} {sign} {self.bound:g}: {verdict}"


@dataclass(frozen=True)
class Switches:
    """How long each switch took until the new version's first answer, in seconds."""

    followed: Sequence[float]
    """From the moved alias, through a ModelDeployment."""
    bare: Sequence[float]
    """From the patched template of a bare Deployment with the same pods."""

    def added(self) -> list[float]:
        """What following the alias adds to a rollout that was typical in the same run."""
        typical = percentile(self.bare, 50)
        return [seconds - typical for seconds in self.followed]


def figures_of(switches: Switches, failures: Mapping[str, int], poll_seconds: float) -> list[Figure]:
    """The figures of switching."""
    return [
        Figure("switches under steady requests", len(switches.followed), 1, "", is_at_least=True),
        Figure("failed requests of the ModelDeployment", failures["served"], 0, "requests"),
        Figure("first answer after the alias moved, median", percentile(switches.followed, 50), math.inf, "s"),
        Figure("first answer after a bare Deployment's patch, median", percentile(switches.bare, 50), math.inf, "s"),
        Figure("added by following the alias, p99", percentile(switches.added(), 99), poll_seconds + 0.5, "s"),
    ]
