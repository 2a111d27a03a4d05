"""Which predictors serve which version, and how the traffic is split between them: what a backend is told."""

from collections.abc import Mapping
from dataclasses import dataclass

STABLE, CANARY = "stable", "canary"


@dataclass(frozen=True)
class Predictor:
    """The servers of one version, as they are wanted."""

    name: str
    """STABLE or CANARY."""
    version: str
    replicas: int


@dataclass(frozen=True)
class Layout:
    """All that serves, as it is wanted. The canary has traffic only once its pods are known to answer."""

    stable: Predictor
    canary: Predictor | None = None
    canary_weight: int = 0
    """Percent of the traffic, 0 to 100."""
    mirror_percent: int = 0
    """Percent of the requests that the canary gets copies of, besides; its answers to them go nowhere."""

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """The predictors that are wanted, the stable one first."""
        return (self.stable, self.canary) if self.canary else (self.stable,)

    @property
    def weights(self) -> Mapping[str, int]:
        """Percent by predictor; sums to 100, and names only those that get some."""
        canary = self.canary_weight if self.canary else 0
        return {name: weight for name, weight in ((STABLE, 100 - canary), (CANARY, canary)) if weight}


def canary_replicas(replicas: int, weight: int) -> int:
    """How many pods carry this percentage of what `replicas` pods carry: at least one, never more than all."""
    return max(1, min(replicas, -(-replicas * weight // 100)))
