"""Which Promotions are kept: objects, because MLflow keeps no history of aliases."""

from modelyard.api import names
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.promotion.records import is_over, rank, version_of
from modelyard.core.promotion_policy.draft import Draft
from modelyard.core.promotion_policy.manual import last_move


def beyond_limit(draft: Draft, candidate: str | None, champion: str | None) -> list[ObjectRef]:
    """The oldest that are over, beyond spec.historyLimit.

    Never that of the candidate, which would be promoted again, nor of what the alias points at, which vouches for the
    files that are served, nor the last that moved it, which says where it belongs.
    """
    last = last_move(draft)
    kept = {candidate, champion, version_of(last) if last else None}
    over = [item for item in draft.observed.promotions if is_over(item) and version_of(item) not in kept]
    newest_first = sorted(over, key=rank, reverse=True)
    return [_ref(item) for item in newest_first[draft.spec.history_limit :] if _is_there(item)]


def _is_there(item: Manifest) -> bool:
    return not item["metadata"].get("deletionTimestamp")


def _ref(item: Manifest) -> ObjectRef:
    found = item["metadata"]
    return ObjectRef(names.API_VERSION, "Promotion", found["namespace"], found["name"], found["uid"])
