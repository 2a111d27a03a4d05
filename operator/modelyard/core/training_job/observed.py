"""What is known of a TrainingJob's world when its next step is decided."""

from dataclasses import dataclass, field
from typing import Any

from modelyard.api import names
from modelyard.core.context import Context
from modelyard.core.plan import Answers, Manifest


@dataclass(frozen=True)
class Observed:
    """Children as the caches hold them, all owned by this object, and what other systems answered."""

    context: Context
    jobs: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    services: tuple[Manifest, ...] = ()
    policies: tuple[Manifest, ...] = ()
    """PromotionPolicies of the whole cluster for the model that is registered."""
    answers: Answers = field(default_factory=dict)

    def job_named(self, name: str) -> Manifest | None:
        """The Job of this name."""
        return next((job for job in self.jobs if job["metadata"]["name"] == name), None)

    def pods_of(self, attempt: int) -> list[Manifest]:
        """The pods of one attempt."""
        return [pod for pod in self.pods if attempt_of(pod) == attempt]


def attempt_of(manifest: dict[str, Any]) -> int:
    """The attempt that a Job or pod belongs to; 0 when its label is missing or spoiled."""
    text = str((manifest["metadata"].get("labels") or {}).get(names.LABEL_ATTEMPT, ""))
    return int(text) if text.isascii() and text.isdigit() else 0
