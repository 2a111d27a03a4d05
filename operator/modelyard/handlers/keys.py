"""Which object a watch event is about."""

from collections.abc import Iterable

from modelyard.api import names
from modelyard.core.metadata import key_of
from modelyard.core.plan import Key, Manifest

DELETED_TRAINING_JOB = "DeletedTrainingJob"
"""Keys of this kind hold the UID of a TrainingJob that may be gone, in place of a name."""


def own(manifest: Manifest) -> Iterable[Key]:
    """The object itself."""
    return [key_of(manifest)]


def own_and_deleted(manifest: Manifest) -> Iterable[Key]:
    """The object itself, and the check whether it left something behind."""
    metadata = manifest["metadata"]
    return [key_of(manifest), Key(DELETED_TRAINING_JOB, metadata["namespace"], metadata["uid"])]


def own_and_policy(manifest: Manifest) -> Iterable[Key]:
    """A Promotion itself, and the policy that made it."""
    return [key_of(manifest), *policy(manifest)]


def policy(manifest: Manifest) -> Iterable[Key]:
    """The policy that made a Promotion."""
    name = manifest["spec"].get("policy")
    return [Key("PromotionPolicy", manifest["metadata"]["namespace"], name)] if name else []


def owner(manifest: Manifest) -> Iterable[Key]:
    """The object of ours that this one was made for, as its labels say."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    kind, name = labels.get(names.LABEL_OWNER_KIND), labels.get(names.LABEL_OWNER_NAME)
    return [Key(kind, metadata["namespace"], name)] if kind and name else []
