"""The next status of a Promotion while it is being decided."""

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelyard.api.promotion import PromotionSpec
from modelyard.core import clock
from modelyard.core.conditions import Conditions, find
from modelyard.core.errors import Waiting
from modelyard.core.plan import Event, Failure, Manifest, ObjectRef, Plan, Question
from modelyard.core.promotion.observed import Observed
from modelyard.core.subject import Subject

RETRY_TRACKING_SECONDS = 5.0

CONDITIONS = ("Complete", "Failed", "GatesPassed", "Approved", "Promoted", "Recorded")


class Ended(Exception):
    """It is over, and the alias was not moved for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass
class Draft(Subject):
    """Everything decided so far; `finish` makes it a plan."""

    resource: Manifest
    spec: PromotionSpec
    observed: Observed
    now: datetime
    status: dict[str, Any] = field(default_factory=dict)
    create: list[Manifest] = field(default_factory=list)
    delete: list[ObjectRef] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    recheck_after: float | None = None

    def __post_init__(self) -> None:
        self.before: dict[str, Any] = self.resource.get("status") or {}
        self.status = copy.deepcopy({k: v for k, v in self.before.items() if k != "conditions"})
        self.conditions = Conditions(self.before.get("conditions") or [], self.generation, self.now)
        for kind in CONDITIONS:
            self.conditions.keep(kind)

    @property
    def is_over(self) -> bool:
        """Whether it ended, for good or bad."""
        return bool(self.status.get("completionTime"))

    @property
    def aim(self) -> str:
        """The alias with its model, for a person."""
        return f"{self.spec.model.name}@{self.spec.target.alias}"

    def was(self, reason: str) -> bool:
        """Whether the status as it was read says so in its column RESULT."""
        return bool(find(self.before, "Complete").get("reason") == reason)

    def states(self, condition: str) -> bool:
        """Whether a condition is true by now."""
        return (self.conditions.get(condition) or {}).get("status") == "True"

    def ask_or_wait(self, question: Question) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer.

        Raises:
            Open: it was not asked yet.
            Waiting: asking again later can help.
            Ended: asking again cannot.
        """
        answer = self.ask(question)
        if not isinstance(answer, Failure):
            return answer
        if answer.is_transient:
            raise Waiting(answer.reason, answer.message, RETRY_TRACKING_SECONDS)
        raise Ended(answer.reason, answer.message)

    def set_state(self, reason: str, message: str) -> None:
        """Say what goes on: the column RESULT."""
        self.conditions.false("Complete", reason, message)

    def look_again_in(self, seconds: float) -> None:
        """Look again at the latest in this time."""
        self.recheck_after = max(0.1, min(seconds, self.recheck_after or seconds))

    def end(self) -> None:
        """From here on nothing of it changes."""
        self.status["completionTime"] = clock.to_text(self.now)

    def finish(self, stalled: tuple[str, str] | None = None) -> Plan:
        """The plan, with Reconciling and Stalled present only while true."""
        complete = self.conditions.get("Complete") or {"reason": "Evaluating", "message": ""}
        if stalled or self.states("Failed"):
            self.conditions.true("Stalled", *(stalled or (complete["reason"], complete["message"])))
        elif not self.states("Complete"):
            self.conditions.true("Reconciling", complete["reason"], complete["message"])
        return Plan(
            create=tuple(self.create),
            delete=tuple(self.delete),
            status=self.next_status(),
            events=tuple(self.events),
            recheck_after=self.recheck_after,
        )
