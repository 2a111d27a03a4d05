"""The next status of a PromotionPolicy while it is being decided."""

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelyard.api.promotion_policy import PromotionPolicySpec
from modelyard.core.conditions import Conditions, find
from modelyard.core.errors import Waiting
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef, Plan, Question
from modelyard.core.promotion_policy.observed import Observed
from modelyard.core.subject import Subject

RETRY_TRACKING_SECONDS = 5.0


@dataclass
class Draft(Subject):
    """Everything decided so far; `finish` makes it a plan."""

    resource: Manifest
    spec: PromotionPolicySpec
    observed: Observed
    now: datetime
    status: dict[str, Any] = field(default_factory=dict)
    create: list[Manifest] = field(default_factory=list)
    delete: list[ObjectRef] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before: dict[str, Any] = self.resource.get("status") or {}
        self.status = copy.deepcopy({k: v for k, v in self.before.items() if k != "conditions"})
        self.conditions = Conditions(self.before.get("conditions") or [], self.generation, self.now)
        self.conditions.keep("Conflict")
        self.recheck_after = self.context.alias_poll_seconds

    def was(self, reason: str) -> bool:
        """Whether the status as it was read says so in its column REASON."""
        return bool(find(self.before, "Ready").get("reason") == reason)

    def ask_or_wait(self, question: Question) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer.

        Raises:
            Open: it was not asked yet.
            Waiting: MLflow cannot answer now.
        """
        answer = self.ask(question)
        if isinstance(answer, Failure):
            raise Waiting(answer.reason, answer.message, RETRY_TRACKING_SECONDS)
        return answer

    def finish(self, stalled: tuple[str, str] | None = None, *, reconciling: bool = False) -> Plan:
        """The plan, with Reconciling and Stalled present only while true."""
        ready = self.conditions.get("Ready") or {"reason": "Watching", "message": ""}
        if stalled:
            self.conditions.true("Stalled", *stalled)
        elif reconciling:
            self.conditions.true("Reconciling", ready["reason"], ready["message"])
        return Plan(
            create=tuple(self.create),
            delete=tuple(self.delete),
            status=self.next_status(),
            events=tuple(self.events),
            recheck_after=self.recheck_after,
        )
