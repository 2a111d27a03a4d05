"""What core asks of the traffic of model servers, whoever measures it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from modelyard.core.plan import Failure, Manifest


@dataclass(frozen=True)
class PodAddress:
    """One serving pod."""

    uid: str
    ip: str
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class MeasureTraffic:
    """What these pods answered in the last window. Answer: `Traffic`."""

    pods: tuple[PodAddress, ...]
    window_seconds: float


@dataclass(frozen=True)
class Traffic:
    """Predictions that a predictor's pods answered; probes and metadata are none."""

    requests: int
    """Predictions answered in the window, whatever the answer."""
    errors: int
    """Of them answered 4xx or 5xx."""
    latency_p95_seconds: float | None
    """None without a request."""
    window_seconds: float
    """The window that was really measured: shorter after a restart of the operator."""
    unread: int = 0
    """Pods that told nothing, so that what they answered is missing here."""


@dataclass(frozen=True)
class QueryPrometheus:
    """One number. Answer: a float, which may be NaN, or None where Prometheus has no sample."""

    query: str


class TrafficSource(Protocol):
    """Whoever knows what model servers answered: their own metrics, or a Prometheus."""

    async def measure(self, question: MeasureTraffic) -> Traffic | Failure:
        """Answer within seconds; never raises for what servers do wrong."""
        ...


class Metrics(Protocol):
    """A Prometheus that may be asked anything."""

    async def query(self, question: QueryPrometheus) -> float | Failure | None:
        """Answer within seconds; never raises for what it does wrong."""
        ...


def addresses(pods: Iterable[Manifest]) -> tuple[PodAddress, ...]:
    """Where the pods of a predictor that have an address can be reached; those on their way out still answer."""
    found = [
        PodAddress(
            pod["metadata"]["uid"], pod["status"]["podIP"], pod["metadata"]["namespace"], pod["metadata"]["name"]
        )
        for pod in pods
        if (pod.get("status") or {}).get("podIP") and pod["status"].get("phase") == "Running"
    ]
    return tuple(sorted(found, key=lambda address: address.uid))
