"""What core asks of predictions that two versions made for the same requests."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from modelyard.core.plan import Failure, Manifest
from modelyard.core.traffic import PodAddress

KEY_VARIABLE = "MODELYARD_ANSWERS_KEY"
"""The environment variable that lets a model server tell whether answers are the same, to who holds the key."""


@dataclass(frozen=True)
class CompareAnswers:
    """How often these pods predicted otherwise, asked the same. Answer: `Compared`."""

    stable: tuple[PodAddress, ...]
    canary: tuple[PodAddress, ...]
    version: str
    """The canary's."""
    key: str
    """What the pods tell it to."""
    window_seconds: float
    tolerance: float | None = None
    """By how much numbers may differ; None: by the noise of floating-point numbers."""


@dataclass(frozen=True)
class Compared:
    """Predictions for the same requests. What only one version was asked is not counted."""

    pairs: int
    """Predictions that both made."""
    differing: int
    """Of them those that are not the same; where the new version failed, all of the request's."""
    window_seconds: float
    """The window that was really looked at."""
    told: int = 0
    """Answers that the new version's pods told of."""
    unread: int = 0
    """Pods of the new version that told nothing."""


class AnswerSource(Protocol):
    """Whoever can tell whether two versions answer alike."""

    async def compare(self, question: CompareAnswers) -> Compared | Failure:
        """Answer within seconds; never raises for what servers do wrong."""
        ...


def key_of(resource: Manifest) -> str:
    """What a ModelDeployment's pods tell it to: who may read the object can know it, and it outlives the operator."""
    return hashlib.sha256(f"modelyard answers {resource['metadata']['uid']}".encode()).hexdigest()[:32]
