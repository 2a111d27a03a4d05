"""What Promotions say, read by others: which alias they move, whether they are over, which came first."""

from collections.abc import Iterable

from modelyard.core.conditions import find
from modelyard.core.plan import Manifest

PROMOTED, PROMOTING = "Promoted", "Promoting"

Aim = tuple[str, str]
"""A registered model and an alias of it."""

Rank = tuple[str, str, str]


def aim_of(promotion: Manifest) -> Aim:
    """The model and the alias that a Promotion, or a policy, is about."""
    spec = promotion["spec"]
    return spec["model"]["name"], (spec.get("target") or {}).get("alias") or "champion"


def version_of(promotion: Manifest) -> str:
    """The version that is to be promoted."""
    return str(promotion["spec"]["model"]["version"])


def result_of(promotion: Manifest) -> str | None:
    """Its column RESULT."""
    return find(promotion.get("status") or {}, "Complete").get("reason")


def is_over(promotion: Manifest) -> bool:
    """Whether nothing will change any more."""
    return bool((promotion.get("status") or {}).get("completionTime"))


def is_promoted(promotion: Manifest) -> bool:
    """Whether the alias moved for it."""
    return find(promotion.get("status") or {}, "Promoted").get("status") == "True"


def is_promoting(promotion: Manifest) -> bool:
    """Whether it passed everything and moves the alias next."""
    return not is_over(promotion) and result_of(promotion) == PROMOTING


def rank(item: Manifest) -> Rank:
    """Who comes first, of any two objects."""
    metadata = item["metadata"]
    return metadata["creationTimestamp"], metadata["name"], metadata["uid"]


def policies_for(model: str | None, policies: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """Those about this registered model, in an order that does not change."""
    found = [item for item in policies if model and aim_of(item)[0] == model]
    return tuple(sorted((item for item in found if not item["metadata"].get("deletionTimestamp")), key=rank))


def governors_of(aim: Aim, policies: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The policies that move this alias; the first of them is the one that does."""
    return tuple(policy for policy in policies if aim_of(policy) == aim)


def shown(item: Manifest) -> str:
    """An object of any namespace, for a person."""
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def digest_of(promotion: Manifest) -> str | None:
    """The digest of the version's files that it recorded."""
    return (promotion.get("status") or {}).get("digest")
