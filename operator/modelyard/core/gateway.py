"""What core asks of the Gateway API beyond its own HTTPRoutes."""

from dataclasses import dataclass
from typing import Protocol

from modelyard.core.plan import Failure

VOUCHED_FOR = "modelyard.io/supported-features"
"""The annotation of a Gateway whose class lists nothing: what its controller can do, separated by commas."""


@dataclass(frozen=True)
class ReadGateway:
    """A Gateway and what its class can do, at most some seconds old. Answer: `Gateway`, None or `Failure`."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Listener:
    """One port of a Gateway."""

    protocol: str
    port: int
    hostname: str = ""
    """Empty: any host."""


@dataclass(frozen=True)
class Gateway:
    """A Gateway as its controller sees it."""

    class_name: str
    addresses: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    features: frozenset[str] | None = None
    """What status.supportedFeatures of its class lists; None where the class may not be read or lists none."""
    vouched_for: frozenset[str] = frozenset()
    """What somebody says in an annotation of the Gateway that it can do, as some controllers list nothing."""

    def has(self, feature: str) -> bool:
        """Whether its class lists this, or lists nothing and the annotation does."""
        return feature in (self.vouched_for if self.features is None else self.features)

    def lacks(self, feature: str) -> bool:
        """Whether its class lists what it can do, and this is not there."""
        return self.features is not None and feature not in self.features


class Gateways(Protocol):
    """The Gateways of the cluster."""

    async def read(self, question: ReadGateway) -> Gateway | Failure | None:
        """Answer within seconds; never raises for what the API server refuses."""
        ...
