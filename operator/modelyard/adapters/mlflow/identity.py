"""The tags that name an attempt on everything made for it."""

from collections.abc import Mapping

from modelyard.adapters.mlflow.text import quoted
from modelyard.api import names
from modelyard.core.tracking import AttemptIdentity


def identity_tags(identity: AttemptIdentity) -> dict[str, str]:
    """What is written on runs and versions."""
    return {
        names.TAG_CLUSTER: identity.cluster,
        names.TAG_OWNER_UID: identity.owner_uid,
        names.TAG_ATTEMPT: str(identity.attempt),
    }


def identity_filter(identity: AttemptIdentity) -> str:
    """Finds it again, in MLflow's filter language."""
    return " and ".join(f"tags.`{name}` = {quoted(value)}" for name, value in identity_tags(identity).items())


def owner_filter(identity: AttemptIdentity) -> str:
    """Finds everything of all attempts of one owner."""
    wanted = {names.TAG_CLUSTER: identity.cluster, names.TAG_OWNER_UID: identity.owner_uid}
    return " and ".join(f"tags.`{name}` = {quoted(value)}" for name, value in wanted.items())


def carries(tags: Mapping[str, str], identity: AttemptIdentity) -> bool:
    """Whether these are tags of that attempt."""
    return all(tags.get(name) == value for name, value in identity_tags(identity).items())


def identity_of(tags: Mapping[str, str]) -> AttemptIdentity | None:
    """Which attempt made this; None: none, or the tags were tampered with.

    A run that the attempt's own code started beside the attempt's run names its attempt in another tag.
    """
    cluster = tags.get(names.TAG_CLUSTER)
    owner_uid = tags.get(names.TAG_OWNER_UID)
    attempt = tags.get(names.TAG_ATTEMPT) or tags.get(names.TAG_PARENT_ATTEMPT) or ""
    if not cluster or not owner_uid or not (attempt.isascii() and attempt.isdigit() and len(attempt) <= 9):
        return None
    return AttemptIdentity(cluster=cluster, owner_uid=owner_uid, attempt=int(attempt))
