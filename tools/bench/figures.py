"""What measured values come to, and whether a figure holds."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

SLOWEST = 99
"""The percentile that bounds are put on."""
FOLLOWED, HINTED = "alias moved", "alias moved and told by webhook"
"""What the two ways of switching are called."""


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
        return f"{self.name:<72} {self.value:>9.3f} {self.unit:<9} {sign} {self.bound:g}: {verdict}"


@dataclass(frozen=True)
class Switch:
    """One switch by a moved alias; seconds from MLflow's reply."""

    written: float
    """Until the server's object was told of the version: all that the operator does. Infinite where it never was."""
    answered: float
    """Until the version's first answer: with the pods' start."""


@dataclass
class Switches:
    """All switches of one run."""

    followed: list[Switch] = field(default_factory=list)
    """Of a ModelDeployment whose alias is read now and then."""
    hinted: list[Switch] = field(default_factory=list)
    """The same, where MLflow's webhook tells of the move."""
    bare: list[float] = field(default_factory=list)
    """Seconds from the patched template of a bare Deployment with the same pods to the version's first answer."""

    def added(self, switches: Sequence[Switch]) -> float:
        """What the slowest of these took beyond the slowest bare rollouts of the same run: percentile less percentile.

        How long pods take to start varies by seconds, since a kubelet looks at a pod once a second. It does
        so for both, and a slow start less a typical one would be called the operator's.
        """
        return percentile([switch.answered for switch in switches], SLOWEST) - percentile(self.bare, SLOWEST)

    def as_measured(self) -> Iterator[str]:
        """Every value in seconds, in the order of the switches, to look into a figure that does not hold."""
        for name, chosen in ((FOLLOWED, self.followed), (HINTED, self.hinted)):
            yield f"{name}, object written: {_in_turn(switch.written for switch in chosen)}"
            yield f"{name}, first answer: {_in_turn(switch.answered for switch in chosen)}"
        yield f"bare Deployment patched, first answer: {_in_turn(self.bare)}"


def figures_of(switches: Switches, failures: Mapping[str, int], poll_seconds: float) -> list[Figure]:
    """The figures of switching."""
    count = len(switches.followed) + len(switches.hinted)
    return [
        Figure("switches under steady requests", count, 1, "", is_at_least=True),
        Figure("failed requests of the ModelDeployment", failures["served"], 0, "requests"),
        *_unbounded("first answer after a bare Deployment's patch", switches.bare),
        *_following(FOLLOWED, switches, switches.followed, poll_seconds + 0.5),
        *_following(HINTED, switches, switches.hinted, 1.0),
    ]


def _following(name: str, switches: Switches, chosen: Sequence[Switch], bound: float) -> list[Figure]:
    answered, written = ([getattr(switch, what) for switch in chosen] for what in ("answered", "written"))
    return [
        *_unbounded(f"{name}: first answer", answered),
        Figure(f"{name}: first answer, p99 less the bare one's p99", switches.added(chosen), bound, "s"),
        Figure(f"{name}: the server's object is written, p99", percentile(written, SLOWEST), bound, "s"),
    ]


def _in_turn(seconds: Iterable[float]) -> str:
    return " ".join(f"{value:.2f}" for value in seconds)


def _unbounded(name: str, seconds: Sequence[float]) -> list[Figure]:
    return [
        Figure(f"{name}, {called}", percentile(seconds, percent), math.inf, "s")
        for called, percent in (("median", 50), ("p99", SLOWEST))
    ]
