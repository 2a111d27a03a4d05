"""What the drafts of all kinds share: the object that is decided on, and the asking."""

from collections.abc import Sequence
from typing import Any, Protocol

from modelyard.core.conditions import Conditions, is_same_status
from modelyard.core.context import Context
from modelyard.core.errors import Open
from modelyard.core.plan import Answers, Manifest, Question


class Observation(Protocol):
    """What every kind observes."""

    @property
    def context(self) -> Context:
        """The installation's facts."""
        ...

    @property
    def answers(self) -> Answers:
        """What was asked so far in this reconcile, and what came back."""
        ...


class Subject:
    """The object that is decided on. A draft is one, with what its own kind needs."""

    resource: Manifest
    observed: Observation
    before: dict[str, Any]
    """The status as it was read."""
    status: dict[str, Any]
    """The next one, but for what `next_status` adds."""
    conditions: Conditions

    @property
    def generation(self) -> int:
        """The generation of spec that is decided on."""
        return int(self.resource["metadata"].get("generation", 1))

    @property
    def context(self) -> Context:
        """The installation's facts."""
        return self.observed.context

    @property
    def uid(self) -> str:
        """The object's UID."""
        return str(self.resource["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        """The object's namespace."""
        return str(self.resource["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.resource["metadata"]["name"])

    def next_status(self) -> dict[str, Any] | None:
        """The whole next status, or None where it says what the one before did."""
        self.status["observedGeneration"] = self.generation
        self.status["conditions"] = self.conditions.as_list()
        status = {name: value for name, value in self.status.items() if value not in (None, [], {})}
        return None if is_same_status(status, self.before) else status

    def ask(self, question: Question) -> Any:  # noqa: ANN401 - the question's docstring says
        """The answer to a question, a `Failure` among them.

        Raises:
            Open: it was not asked yet.
        """
        if question not in self.observed.answers:
            raise Open(question)
        return self.observed.answers[question]

    def ask_all(self, questions: Sequence[Question]) -> list[Any]:
        """The answers to questions that are asked side by side.

        Raises:
            Open: some were not asked yet.
        """
        missing = [question for question in questions if question not in self.observed.answers]
        if missing:
            raise Open(*missing)
        return [self.observed.answers[question] for question in questions]
