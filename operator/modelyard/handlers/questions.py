"""Who answers which question."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from modelyard.core.gateway import Gateways, ReadGateway
from modelyard.core.plan import Question
from modelyard.core.serving import AskServer, ModelServers, ReadObject, ReadWarning, TryServer
from modelyard.core.tracking import Tracking
from modelyard.core.traffic import MeasureTraffic, Metrics, QueryPrometheus, TrafficSource
from modelyard.engine.reconcile import Objects


@dataclass(frozen=True)
class Answerer:
    """Takes each question to the system that it concerns."""

    tracking: Tracking
    servers: ModelServers
    objects: Objects
    gateways: Gateways
    traffic: TrafficSource
    metrics: Metrics

    async def __call__(self, question: Question) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer."""
        askers: dict[type, Callable[[Any], Awaitable[Any]]] = {
            AskServer: self.servers.ask,
            TryServer: self.servers.ask,
            ReadObject: lambda asked: self.objects.get(asked.ref),
            ReadWarning: lambda asked: self.objects.newest_warning(asked.ref),
            ReadGateway: self.gateways.read,
            MeasureTraffic: self.traffic.measure,
            QueryPrometheus: self.metrics.query,
        }
        asker: Callable[[Any], Awaitable[Any]] = askers.get(type(question)) or self.tracking.ask
        return await asker(question)
