"""Who answers which question."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from modelyard.core.disagreement import AnswerSource, CompareAnswers
from modelyard.core.gateway import Gateways, ReadGateway
from modelyard.core.plan import Question
from modelyard.core.serving import AskServer, ModelServers, ReadObject, ReadWarning, TryServer
from modelyard.core.tracking import Tracking
from modelyard.core.traffic import MeasureTraffic, Metrics, QueryPrometheus, TrafficSource
from modelyard.core.workspaces import Workspaces
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
    answers: AnswerSource
    workspaces: Workspaces

    async def __call__(self, question: Question, namespace: str) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer for an object of this namespace."""
        askers: dict[type, Callable[[Any], Awaitable[Any]]] = {
            AskServer: self.servers.ask,
            TryServer: self.servers.ask,
            ReadObject: lambda asked: self.objects.get(asked.ref),
            ReadWarning: lambda asked: self.objects.newest_warning(asked.ref),
            ReadGateway: self.gateways.read,
            MeasureTraffic: self.traffic.measure,
            QueryPrometheus: self.metrics.query,
            CompareAnswers: self.answers.compare,
        }

        async def ask_mlflow(asked: Any) -> Any:  # noqa: ANN401 - see above
            return await self.tracking.ask(asked, self.workspaces.of(namespace))

        return await askers.get(type(question), ask_mlflow)(question)
