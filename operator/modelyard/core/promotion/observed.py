"""What is known of a Promotion's world when its next step is decided."""

from dataclasses import dataclass, field

from modelyard.core.context import Context
from modelyard.core.plan import Answers, Manifest


@dataclass(frozen=True)
class Observed:
    """Its own Job and pods, the others that move the same alias, and what other systems answered."""

    context: Context
    jobs: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    others: tuple[Manifest, ...] = ()
    """Promotions of the whole cluster for the same model and alias, without this one."""
    policy: Manifest | None = None
    """The policy that made it, while it is there."""
    answers: Answers = field(default_factory=dict)
    policies: tuple[Manifest, ...] = ()
    """Policies of the whole cluster for its model."""
