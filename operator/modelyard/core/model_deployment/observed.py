"""What is known of a ModelDeployment's world when its next step is decided."""

from dataclasses import dataclass, field

from modelyard.core.context import Context
from modelyard.core.plan import Answers, Manifest


@dataclass(frozen=True)
class Observed:
    """Objects that carry this owner's labels, as the caches hold them, and what other systems answered."""

    context: Context
    is_seldon_served: bool = True
    """Whether the API server knows SeldonDeployments."""
    objects: tuple[Manifest, ...] = ()
    """SeldonDeployments, Deployments, Services and HTTPRoutes."""
    pods: tuple[Manifest, ...] = ()
    answers: Answers = field(default_factory=dict)
    is_route_served: bool = True
    """Whether the API server knows HTTPRoutes."""
    promotions: tuple[Manifest, ...] = ()
    """Promotions of the same namespace and model that recorded a digest."""
    policies: tuple[Manifest, ...] = ()
    """PromotionPolicies of all namespaces for the same model."""

    def of_kind(self, kind: str) -> list[Manifest]:
        """The objects of one kind."""
        return [item for item in self.objects if item["kind"] == kind]

    def named(self, kind: str, name: str) -> Manifest | None:
        """One object."""
        return next((item for item in self.of_kind(kind) if item["metadata"]["name"] == name), None)
