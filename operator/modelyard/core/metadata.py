"""Names, labels and owner references of everything the operator makes: the only place where they are made."""

import hashlib
from typing import Any

from modelyard.api import names
from modelyard.core.plan import Key, Manifest


def key_of(resource: Manifest) -> Key:
    """The key of one of our own objects."""
    metadata = resource["metadata"]
    return Key(resource["kind"], metadata["namespace"], metadata["name"])


def owner_reference(resource: Manifest) -> dict[str, Any]:
    """The reference that makes the garbage collector delete a child with its owner."""
    metadata = resource["metadata"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": resource["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owner_labels(resource: Manifest) -> dict[str, str]:
    """Labels that lead from an object, or a pod, to the one it was made for."""
    metadata = resource["metadata"]
    return {
        names.LABEL_OWNER_KIND: resource["kind"],
        names.LABEL_OWNER_NAME: metadata["name"],
        names.LABEL_OWNER_UID: metadata["uid"],
    }


def selector_text(labels: dict[str, str]) -> str:
    """The labels as a selector that kubectl understands."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def child_metadata(resource: Manifest, name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Metadata of an object that belongs to `resource` and is deleted with it."""
    return {
        "name": name,
        "namespace": resource["metadata"]["namespace"],
        "labels": owner_labels(resource) | (labels or {}),
        "ownerReferences": [owner_reference(resource)],
    }


def job_name(resource: Manifest, attempt: int) -> str:
    """The Job of one attempt: the same after a crash, another one for an object made anew under the same name."""
    return f"{resource['metadata']['name']}-{_digest(resource)}-{attempt}"


def nodes_service_name(resource: Manifest) -> str:
    """The Service that gives a training's pods their names; begins with a letter, as Services' names have to."""
    return f"nodes-{resource['metadata']['name']}-{_digest(resource)}"


def _digest(resource: Manifest) -> str:
    """Tells apart what was made for two objects of the same name, one after the other."""
    return hashlib.sha256(resource["metadata"]["uid"].encode()).hexdigest()[:8]


def service_name(resource: Manifest) -> str:
    """The Service that answers predictions, with either backend: the stable predictor's, or a split by replicas."""
    return str(resource["metadata"]["name"])


def canary_service_name(resource: Manifest) -> str:
    """The Service of the canary's pods alone."""
    return f"{resource['metadata']['name']}-canary"
