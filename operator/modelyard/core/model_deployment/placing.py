"""Puts a layout before the API server: what is not as wanted is applied, what is no longer wanted is deleted."""

from modelyard.core.model_deployment import companions, route, services, split
from modelyard.core.model_deployment.applying import apply_if_needed
from modelyard.core.model_deployment.backend import Backend
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import Layout
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.serving import is_owned_by


def place(draft: Draft, backend: Backend, layout: Layout) -> bool:
    """Want this layout, in place of what this reconcile wanted before; whether anything is to change for it.

    While something does, what the servers show is no answer to it.

    Raises:
        Stalled: an object of that name belongs to someone else.
    """
    draft.apply, draft.delete, draft.is_changed = [], [], False
    manifests = _manifests(draft, backend, layout)
    for manifest in manifests:
        draft.is_changed |= apply_if_needed(draft, manifest)
    _remove_all_but(draft, {(item["kind"], item["metadata"]["name"]) for item in manifests})
    companions.settle(draft)
    # Traffic is led last: to what the objects before say.
    split.settle(draft, layout, backend.observe(draft.resource, draft.observed))
    return draft.is_changed or draft.is_rerouted


def _manifests(draft: Draft, backend: Backend, layout: Layout) -> list[Manifest]:
    """Everything that serves, the object that names the backend first: servers come before traffic."""
    made = backend.render(draft.resource, draft.spec, layout, draft.context)
    return [*made, services.client_service(draft.resource, split.weights_of_service(draft, layout))]


def _remove_all_but(draft: Draft, wanted: set[tuple[str, str]]) -> None:
    """Delete what was made for this object to serve, and is no longer wanted."""
    for item in draft.observed.objects:
        meta = item["metadata"]
        is_elsewhere = item["kind"] == route.KIND or item["kind"] in companions.KINDS
        if is_elsewhere or (item["kind"], meta["name"]) in wanted or not is_owned_by(item, draft.uid):
            continue
        draft.is_changed = True
        if "deletionTimestamp" not in meta:
            ref = ObjectRef(item["apiVersion"], item["kind"], draft.namespace, meta["name"], meta["uid"])
            draft.delete.append(ref)
