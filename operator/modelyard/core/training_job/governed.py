"""Aliases that a PromotionPolicy moves: a training sets none of them, so that nothing gets past the gates."""

from modelyard.api.training_job import ModelSpec
from modelyard.core.plan import Event
from modelyard.core.promotion.records import governors_of, shown
from modelyard.core.training_job.draft import Draft

REASON = "AliasGoverned"


def free_aliases(draft: Draft, spec: ModelSpec) -> tuple[str, ...]:
    """The aliases of spec that no policy moves, in whatever namespace the same registry is used."""
    taken = _governors(draft, spec)
    return tuple(alias for alias in spec.aliases or [] if alias not in taken)


def told(draft: Draft, spec: ModelSpec) -> str | None:
    """What to say of aliases that were not set; None when all of them were."""
    taken = _governors(draft, spec)
    left_out = [f"{alias} (PromotionPolicy {taken[alias]})" for alias in spec.aliases or [] if alias in taken]
    if not left_out:
        return None
    candidates = " or ".join(sorted({_candidate(item) for item in draft.observed.policies}))
    return (
        f"not set, because only Promotions move it: {', '.join(left_out)}; "
        f"name {candidates} in spec.model.aliases instead, and the policy promotes the version if it passes"
    )


def tell(draft: Draft, message: str) -> None:
    """Say so once, where people look."""
    draft.events.append(Event(REASON, message, "Warning"))


def _governors(draft: Draft, spec: ModelSpec) -> dict[str, str]:
    """By alias, the policy that moves it."""
    found = {alias: governors_of((spec.name, alias), draft.observed.policies) for alias in spec.aliases or []}
    return {alias: shown(governors[0]) for alias, governors in found.items() if governors}


def _candidate(policy: dict[str, dict[str, dict[str, str]]]) -> str:
    """The alias by which a policy finds its candidates."""
    return (policy["spec"].get("candidate") or {}).get("alias") or "candidate"
