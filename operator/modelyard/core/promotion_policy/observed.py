"""What is known of a PromotionPolicy's world when its next step is decided."""

from dataclasses import dataclass, field

from modelyard.core.context import Context
from modelyard.core.plan import Answers, Manifest


@dataclass(frozen=True)
class Observed:
    """The Promotions that it made, the policies that compete with it, and what other systems answered."""

    context: Context
    promotions: tuple[Manifest, ...] = ()
    """Those of its namespace that name it in spec.policy."""
    rivals: tuple[Manifest, ...] = ()
    """Other policies of the whole cluster for the same model and target alias."""
    answers: Answers = field(default_factory=dict)
    moves: tuple[Manifest, ...] = ()
    """All Promotions of the cluster for the same model and target alias, whoever made them."""
