"""Applies objects that are not as wanted, and takes none that is somebody else's."""

from modelyard.api import names
from modelyard.core.errors import Stalled
from modelyard.core.matching import digest, is_as_wanted
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.vouching import with_digests
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.serving import ReadObject, is_owned_by


def apply_if_needed(draft: Draft, manifest: Manifest) -> bool:
    """Apply the object if it is not as wanted; whether something new is asked of it.

    Raises:
        Stalled: an object of that name belongs to someone else.
    """
    live = draft.observed.named(manifest["kind"], manifest["metadata"]["name"])
    if live is None or not is_owned_by(live, draft.uid):
        _refuse_to_take_over(draft, manifest)
        live = None
    if live and "deletionTimestamp" in live["metadata"]:
        # Someone deleted it: it is made again once it is gone.
        return True
    wanted = _marked(with_digests(draft, manifest, live))
    if live is None or not is_as_wanted(wanted, live):
        draft.apply.append(wanted)
    # The mark, not the comparison: the API server may write a value in another way than it was given.
    return live is None or _mark_of(live) != _mark_of(wanted)


def _mark_of(manifest: Manifest) -> str | None:
    """The digest of what was applied last."""
    return (manifest["metadata"].get("annotations") or {}).get(names.ANNOTATION_APPLIED)


def _marked(manifest: Manifest) -> Manifest:
    """The manifest with its digest on it."""
    marked = manifest["metadata"] | {"annotations": {names.ANNOTATION_APPLIED: digest(manifest)}}
    return manifest | {"metadata": marked}


def _refuse_to_take_over(draft: Draft, manifest: Manifest) -> None:
    """An object that carries none of our labels may still be there, and be someone's."""
    name = manifest["metadata"]["name"]
    found = draft.ask(ReadObject(ObjectRef(manifest["apiVersion"], manifest["kind"], draft.namespace, name)))
    if found and not is_owned_by(found, draft.uid):
        raise Stalled(
            "Conflict",
            f"{manifest['kind']} {name} exists and is not this ModelDeployment's: delete it, or choose another name",
        )
