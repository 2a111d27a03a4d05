"""What the operator does to the API server: read, create, server-side apply, delete, tell."""

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Self

from modelyard.api import names
from modelyard.core.plan import Event, Manifest, ObjectRef
from modelyard.core.serving import Warned
from modelyard.kube.connection import Call, Connection, Credentials, Observe, ignore_request
from modelyard.kube.errors import ApiError, Conflict, NotFound
from modelyard.kube.events import Reporter, last_seen, post_events
from modelyard.kube.resources import EVENTS, NAMESPACES, Resource, find_resource, resource_of

log = logging.getLogger(__name__)

_MOST_EVENTS = "100"
_APPLY = "application/apply-patch+yaml; charset=utf-8"
_AS_US = {"fieldManager": names.FIELD_MANAGER}


class KubeClient:
    """Every method raises ApiError when the API server does not do what it says."""

    def __init__(self, connection: Connection, identity: str = names.FIELD_MANAGER) -> None:
        self._connection = connection
        self._reporter = Reporter(names.FIELD_MANAGER, identity)

    @classmethod
    async def open(cls, identity: str = names.FIELD_MANAGER, observe: Observe = ignore_request) -> Self:
        """Connect as KUBECONFIG or the pod's service account says; `identity` names this replica in Events."""
        return cls(await Connection.open(observe), identity)

    def now(self) -> datetime:
        """The API server's time."""
        return self._connection.clock.now()

    async def close(self) -> None:
        """Close the session."""
        await self._connection.close()

    async def credentials(self) -> Credentials:
        """What another HTTP client needs to be the same user."""
        return await self._connection.credentials()

    async def list_pages(
        self, resource: Resource, namespace: str | None = None, label_selector: str | None = None, limit: int = 500
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        """Pages of all objects, each with the resourceVersion of the whole list: one moment of the cluster.

        Raises:
            NotFound: the kind is not served.
            Gone: it took too long; start anew.
        """
        query = {"limit": str(limit)} | ({"labelSelector": label_selector} if label_selector else {})
        while True:
            answer = await self._connection.send(Call("GET", resource, resource.path(namespace), query))
            yield [_as_manifest(item, resource) for item in answer.get("items") or []], _list_version(answer)
            rest = answer["metadata"].get("continue")
            if not rest:
                return
            query["continue"] = rest

    async def get(self, ref: ObjectRef) -> Manifest | None:
        """The object as it is now, or None; with a UID in `ref`, only that incarnation."""
        resource = find_resource(ref.api_version, ref.kind)
        try:
            found: Manifest = await self._connection.send(Call("GET", resource, resource.path(ref.namespace, ref.name)))
        except NotFound:
            return None
        return None if ref.uid and found["metadata"]["uid"] != ref.uid else found

    async def newest_warning(self, ref: ObjectRef) -> Warned | None:
        """What the newest Warning about the object says; None if it cannot be read: it is only a hint."""
        about = f"regarding.uid={ref.uid}" if ref.uid else f"regarding.kind={ref.kind},regarding.name={ref.name}"
        query = {"fieldSelector": f"{about},type=Warning", "limit": _MOST_EVENTS}
        try:
            answer = await self._connection.send(Call("GET", EVENTS, EVENTS.path(ref.namespace), query))
        except ApiError as error:
            log.warning("cannot read the Events about %s %s: %s", ref.kind, ref.name, error)
            return None
        newest = max(answer.get("items") or [], key=last_seen, default=None)
        return Warned(str(newest.get("reason") or ""), str(newest.get("note") or "")) if newest else None

    async def cluster_id(self) -> str:
        """The UID of the kube-system namespace, which no two clusters share."""
        path = NAMESPACES.path(name="kube-system")
        found: Manifest = await self._connection.send(Call("GET", NAMESPACES, path))
        return str(found["metadata"]["uid"])

    async def is_discovered(self, resource: Resource) -> bool:
        """Whether the API server tells of this kind, which it may do some time after it serves it."""
        if not resource.group:
            return True
        groups = (await self._connection.send(Call("GET", resource, "/apis")))["groups"]
        if not any(group["name"] == resource.group for group in groups):
            return False
        try:
            told = await self._connection.send(Call("GET", resource, f"/apis/{resource.api_version}"))
        except NotFound:
            return False
        return any(item["name"] == resource.plural for item in told["resources"])

    async def create(self, manifest: Manifest) -> Manifest:
        """Create the object; Conflict when one of its name exists."""
        resource = resource_of(manifest)
        path = resource.path(manifest["metadata"].get("namespace"))
        return await self._write(Call("POST", resource, path, _AS_US, manifest))

    async def replace(self, manifest: Manifest) -> Manifest:
        """Write the whole object; Conflict when it changed since its resourceVersion."""
        resource = resource_of(manifest)
        return await self._write(Call("PUT", resource, _path(manifest), _AS_US, manifest))

    async def apply(self, manifest: Manifest) -> Manifest:
        """Create the object or change it to these fields, taking them over from whoever else set them."""
        query = _AS_US | {"force": "true"}
        return await self._write(Call("PATCH", resource_of(manifest), _path(manifest), query, manifest, _APPLY))

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Change the object's status to this one; NotFound when there is no such object."""
        query = _AS_US | {"force": "true"}
        path = _path(manifest, "status")
        return await self._write(Call("PATCH", resource_of(manifest), path, query, manifest, _APPLY))

    async def delete(self, ref: ObjectRef) -> None:
        """Delete what the object owns and then itself; one that is gone, or made anew, is left as it is."""
        resource = find_resource(ref.api_version, ref.kind)
        options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        if ref.uid:
            options["preconditions"] = {"uid": ref.uid}
        try:
            await self._connection.send(Call("DELETE", resource, resource.path(ref.namespace, ref.name), body=options))
        except NotFound:
            return
        except Conflict:
            if not ref.uid:
                raise

    async def tell(self, about: Manifest, events: Sequence[Event]) -> None:
        """Post Events about an object, each once; failing to is logged and is not an error."""
        await post_events(self.create, self._reporter, about, events)

    async def _write(self, call: Call) -> Manifest:
        """The object as it is after the write."""
        answer: Manifest = await self._connection.send(call)
        return answer


def _path(manifest: Manifest, subresource: str | None = None) -> str:
    """Where the API server keeps this object."""
    metadata = manifest["metadata"]
    return resource_of(manifest).path(metadata.get("namespace"), metadata["name"], subresource)


def _as_manifest(item: Manifest, resource: Resource) -> Manifest:
    """Items of a list leave out what the list says once."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def _list_version(answer: Manifest) -> str:
    """The resourceVersion of a list."""
    return str(answer["metadata"]["resourceVersion"])
