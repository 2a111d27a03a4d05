"""What a canary's steps came to: how long they took in all, and which share of the answers each gave it."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.figures import Figure, off_by_sigmas
from tools.bench.pods import Count

SETTLE_SECONDS = 3.0
"""Answers right after a weight was written are left out: a gateway takes it up a little later (Traefik: up to 2 s)."""


@dataclass(frozen=True)
class Weight:
    """One weight of the canary, from when it was written into the route until the next one was, in Unix seconds."""

    percent: int
    begin: float
    end: float


@dataclass(frozen=True)
class Share:
    """What the canary answered while it had one weight."""

    percent: int
    canary: int
    total: int

    @property
    def sigmas(self) -> float:
        """How far it is off, in standard deviations of as many tosses; infinite where nothing was answered."""
        return off_by_sigmas(self.canary, self.total, self.percent / 100) if self.total else math.inf

    def __str__(self) -> str:
        seen = 100 * self.canary / self.total if self.total else math.nan
        return f"{self.percent} %: {seen:.2f} % of {self.total} answers, {self.sigmas:.2f} sigma off"


def weights_between(written: Sequence[tuple[float, int]], takeover: float) -> list[Weight]:
    """The weights above 0 that a route was given before the takeover began; `written` holds when and how much."""
    changes: list[tuple[float, int]] = []
    for at, percent in written:
        if at < takeover and percent > 0 and (not changes or changes[-1][1] != percent):
            changes.append((at, percent))
    return [Weight(percent, begin, end) for (begin, percent), (end, _) in itertools.pairwise([*changes, (takeover, 0)])]


def share_of(weight: Weight, history: Sequence[Count], version: str) -> Share:
    """What a version answered of the requests while the weight held, but for its first seconds."""
    within = [count for count in history if weight.begin + SETTLE_SECONDS <= count.at <= weight.end]
    if len(within) < 2:
        return Share(weight.percent, 0, 0)
    answers = Counter(within[-1].answers)
    answers.subtract(within[0].answers)
    return Share(weight.percent, answers[version], answers.total())


def figures_of_canary(weights: Sequence[Weight], shares: Sequence[Share], pause_seconds: float) -> list[Figure]:
    """From the first weight to the start of the takeover over the sum of the pauses, and each step's share."""
    taken = weights[-1].end - weights[0].begin
    ratio = taken / (len(weights) * pause_seconds)
    name = f"canary of {len(weights)} steps of {pause_seconds:g} s, over their sum"
    return [Figure(name, ratio, 1.02, "times"), *(_off(share) for share in shares)]


def _off(share: Share) -> Figure:
    return Figure(f"answers of the canary at weight {share.percent}, off by", share.sigmas, 3, "sigma")
