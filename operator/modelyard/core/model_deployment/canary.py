"""What status.canary says of the version that is being tried: how far it has come along its steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.rollout import Step
from modelyard.core import clock
from modelyard.core.matching import digest
from modelyard.core.model_deployment.draft import Draft

STEPPING, PROMOTING, FINISHING, LEAVING = "Stepping", "Promoting", "Finishing", "Leaving"


@dataclass(frozen=True)
class Canary:
    """A rollout under way; every change of it is written into the draft's status."""

    draft: Draft

    @property
    def _said(self) -> dict[str, Any]:
        found: dict[str, Any] = self.draft.status["canary"]
        return found

    @property
    def version(self) -> str:
        """The version that is being tried."""
        return str(self._said["version"])

    @property
    def phase(self) -> str:
        """STEPPING, PROMOTING, FINISHING or LEAVING."""
        return str(self._said["phase"])

    @property
    def weight(self) -> int:
        """Percent of the traffic that it was last given."""
        return int(self._said.get("weight") or 0)

    @property
    def number(self) -> int:
        """The step under way, 1 for the first."""
        return int(self._said["step"])

    @property
    def step(self) -> Step | None:
        """What is being done; None of a canary that is only tried, and past the last step (the analysis is awaited)."""
        return self._steps[self.number - 1] if self.number <= len(self._steps) else None

    @property
    def steps_weight(self) -> int:
        """Percent that the steps taken so far give it."""
        return next((step.set_weight for step in reversed(self._steps[: self.number - 1]) if step.set_weight), 0)

    @property
    def has_share(self) -> bool:
        """Whether it was last given requests, or copies of them."""
        return self.weight > 0 or "mirrorPercent" in self._said

    @property
    def share(self) -> int:
        """Percent of the requests that it was last given, or copies of them."""
        return self.weight or int(self._said.get("mirrorPercent") or 0)

    @property
    def mirror_percent(self) -> int:
        """Percent of the requests that spec lets it have copies of."""
        rollout = self.draft.spec.rollout
        return (rollout.mirror_percent or 100) if rollout.strategy == "Shadow" else 0

    @property
    def steps_share(self) -> tuple[int, int]:
        """Percent of the traffic that the steps taken so far give it, and of the requests that it gets copies of."""
        return self.steps_weight, self.mirror_percent

    @property
    def started_at(self) -> str:
        """When it began."""
        return str(self._said["startedAt"])

    @property
    def number_of_steps(self) -> int:
        """How many there are."""
        return len(self._steps)

    def words_to_resume(self) -> list[str]:
        """What the annotation may say to end this open pause: the version alone ends the first of them only."""
        exact = f"{self.version}/{self.number}"
        is_first = not any(step.pause and step.pause.seconds is None for step in self._steps[: self.number - 1])
        return [self.version, exact] if is_first else [exact]

    @property
    def _steps(self) -> list[Step]:
        return self.draft.spec.rollout.steps or []

    def time_in_step(self) -> timedelta:
        """How long the step under way has lasted."""
        return self.draft.now - clock.from_text(self._said["stepStartedAt"])

    def waited(self) -> timedelta:
        """How long its pods have been waited for."""
        since = self._said.get("waitingSince")
        return self.draft.now - clock.from_text(since) if since else timedelta(0)

    def wait(self) -> None:
        """Its pods are waited for, from now on if not already."""
        self._said.setdefault("waitingSince", clock.to_precise_text(self.draft.now))

    def stop_waiting(self) -> None:
        """What was waited for is there."""
        self._said.pop("waitingSince", None)

    def give(self, weight: int, mirror_percent: int = 0) -> None:
        """Write down the share that it is given."""
        self._said["weight"] = weight
        self._said.pop("mirrorPercent", None)
        if mirror_percent:
            self._said["mirrorPercent"] = mirror_percent

    def begin_to_copy(self) -> None:
        """A pause of a shadow counts from the first copied request, not from when its pods began to start."""
        if self.mirror_percent:
            self._said["stepStartedAt"] = clock.to_precise_text(self.draft.now)

    def enter(self, phase: str) -> None:
        """Go over to another phase."""
        if self.phase != phase:
            self._said["phase"] = phase
            self.stop_waiting()

    def next_step(self) -> None:
        """Take up the next step, or, past the last one and once the analysis is content, become the stable version."""
        was_past = self.step is None
        self._said["step"] = self.number + 1
        self._said["stepStartedAt"] = clock.to_precise_text(self.draft.now)
        self.stop_waiting()
        is_past = self.number > len(self._steps) and self.draft.spec.rollout.analysis is None
        if was_past or is_past:
            self.enter(PROMOTING)

    def begin_anew_with_other_steps(self) -> None:
        """Steps that were edited are gone through from the first one on."""
        if self.phase in {STEPPING, PROMOTING} and self._said.get("stepsDigest") != _digest(self._steps):
            self._said.update(_beginning(self.draft, self.version) | {"startedAt": self.started_at})
            self.stop_waiting()


def under_way(draft: Draft) -> Canary | None:
    """The rollout that status tells of."""
    return Canary(draft) if draft.status.get("canary") else None


def begin(draft: Draft, version: str) -> Canary:
    """A rollout that begins now, with no traffic."""
    draft.status["canary"] = _beginning(draft, version)
    return Canary(draft)


def _beginning(draft: Draft, version: str) -> dict[str, Any]:
    """What status says of a canary at first."""
    now: datetime = draft.now
    return {
        "version": version,
        "phase": STEPPING,
        "weight": 0,
        "step": 1,
        "stepStartedAt": clock.to_precise_text(now),
        "startedAt": clock.to_text(now),
        "stepsDigest": _digest(draft.spec.rollout.steps or []),
    }


def _digest(steps: list[Step]) -> str:
    """Names a list of steps."""
    return digest([step.model_dump(mode="json", exclude_none=True) for step in steps])
