"""What the steps of a rollout are decided on."""

from dataclasses import dataclass

from modelyard.core.model_deployment.backend import Backend, PredictorState, Servers
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.model_deployment.placing import place
from modelyard.core.plan import Failure
from modelyard.core.serving import AskServer
from modelyard.core.tracking import RegisteredVersion


@dataclass(frozen=True)
class Scene:
    """One ModelDeployment with what runs it and what is wanted of it."""

    draft: Draft
    backend: Backend
    servers: Servers
    wanted: RegisteredVersion | None
    """What spec.model asks for; None while that cannot be known or does not exist."""

    @property
    def settled_version(self) -> str | None:
        """The version that was seen serving last, else the one that was last told to."""
        return self.draft.stable_version or self.servers.stable.applied_version

    @property
    def canary_state(self) -> PredictorState:
        """What the canary's servers do; nothing while there are none."""
        return self.servers.canary or PredictorState()

    def stable(self, version: str) -> Predictor:
        """The stable predictor at a version."""
        return Predictor(STABLE, version, self.draft.spec.replicas)

    def canary(self, version: str, replicas: int) -> Predictor:
        """The canary at a version."""
        return Predictor(CANARY, version, replicas)

    def place(self, layout: Layout) -> bool:
        """Want this layout; whether anything is to change for it."""
        return place(self.draft, self.backend, layout)

    def refusal_to_answer(self, url: str, version: str) -> Failure | None:
        """What keeps the servers there from saying that they serve this version; None once they do."""
        answer = self.draft.ask(AskServer(url, version, self.draft.spec.server.protocol))
        return answer if isinstance(answer, Failure) else None
