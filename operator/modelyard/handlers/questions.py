"""Who answers which question."""

from dataclasses import dataclass
from typing import Any

from modelyard.core.gateway import Gateways, ReadGateway
from modelyard.core.plan import Question
from modelyard.core.serving import AskServer, ModelServers, ReadObject, ReadWarning, TryServer
from modelyard.core.tracking import Tracking
from modelyard.engine.reconcile import Objects


@dataclass(frozen=True)
class Answerer:
    """Takes each question to the system that it concerns."""

    tracking: Tracking
    servers: ModelServers
    objects: Objects
    gateways: Gateways

    async def __call__(self, question: Question) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer."""
        if isinstance(question, AskServer | TryServer):
            return await self.servers.ask(question)
        if isinstance(question, ReadObject):
            return await self.objects.get(question.ref)
        if isinstance(question, ReadWarning):
            return await self.objects.newest_warning(question.ref)
        if isinstance(question, ReadGateway):
            return await self.gateways.read(question)
        return await self.tracking.ask(question)  # type: ignore[arg-type] # every other question is for it
