"""Promotions made by hand beside a policy: what its history does not know takes a person's yes."""

from modelyard.core.promotion.draft import Draft
from modelyard.core.promotion.records import aim_of, governors_of, is_promoted, shown, version_of


def why_asked(draft: Draft) -> str | None:
    """Why a person has to decide, or None where nobody has to.

    Whoever may make Promotions could else do without the gates and the approval of the policy that governs the alias.
    Going back to what was in place before needs no one.
    """
    if draft.spec.approval.required:
        return "spec.approval.required is true"
    governing = governors_of(aim_of(draft.resource), draft.observed.policies)
    if draft.spec.policy or not governing or draft.spec.model.version in _known_versions(draft):
        return None
    version = draft.spec.model.version
    return f"PromotionPolicy {shown(governing[0])} governs {draft.aim}, and no Promotion vouches for version {version}"


def _known_versions(draft: Draft) -> set[str]:
    """Versions that the alias pointed at by Promotions, and those that they found there."""
    promoted = [item for item in draft.observed.others if is_promoted(item)]
    found = {str(item["status"]["previousVersion"]) for item in promoted if item["status"].get("previousVersion")}
    return found | {version_of(item) for item in promoted}
