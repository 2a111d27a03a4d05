"""The API server, through the official client's connection: JSON in, JSON out."""

import json
import os
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from tools.seldon_standin.render import API_VERSION, KIND, Manifest

FIELD_MANAGER = "seldon-standin"
TIMEOUT_SECONDS = 20
_PREFIXES = {
    KIND: (f"/apis/{API_VERSION}", "seldondeployments"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Service": ("/api/v1", "services"),
}


class ApiError(Exception):
    """An answer that is not a success; status 0 stands for no answer at all."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_the_users_fault(self) -> bool:
        """Whether asking again will not help before somebody changes something."""
        return self.status in (400, 403, 422)


class KubeCluster:
    """Implements `reconcile.Cluster`. Raises ApiError; what is not found is None or, on delete, fine."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object, or None."""
        try:
            return await self._call("GET", _path(kind, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list_labelled(self, kind: str, namespace: str, selector: str) -> list[Manifest]:
        """The objects of one namespace, with apiVersion and kind, which lists leave out."""
        page = await self._call("GET", _path(kind, namespace), [("labelSelector", selector)])
        return [{"apiVersion": page["apiVersion"], "kind": kind, **item} for item in page["items"]]

    async def list_keys(self) -> list[tuple[str, str]]:
        """Namespace and name of every SeldonDeployment."""
        prefix, plural = _PREFIXES[KIND]
        page = await self._call("GET", f"{prefix}/{plural}")
        return [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page["items"]]

    async def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply; gives the object as it is afterwards."""
        path = _path(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        query = [("fieldManager", FIELD_MANAGER), ("force", "true")]
        return await self._call("PATCH", path, query, manifest, "application/apply-patch+yaml")

    async def delete(self, manifest: Manifest) -> None:
        """Deletes exactly this object; a Deployment stays until its pods are gone."""
        path = _path(manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": manifest["metadata"]["uid"]}}
        try:
            await self._call("DELETE", path, body=options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    async def write_status(self, sdep: Manifest, status: Manifest) -> None:
        """Replaces the whole status, unless the object changed since it was read (409)."""
        path = _path(KIND, sdep["metadata"]["namespace"], sdep["metadata"]["name"])
        await self._call("PUT", f"{path}/status", body={**sdep, "status": status})

    async def _call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = await self._api.param_serialize(
            method, path, query_params=query or [], header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            answer = await self._api.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
            content = await answer.read()  # type: ignore[no-untyped-call]  # the client is only partly typed
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(0, f"{method} {path}: {error!r}") from error
        if not 200 <= answer.status <= 299:
            raise ApiError(answer.status, _message(content))
        decoded: Manifest = json.loads(content)
        return decoded


async def connect() -> client.ApiClient:
    """A client for the cluster of the pod it runs in, or of KUBECONFIG where that is set."""
    settings: Any = client.Configuration()
    if os.environ.get("KUBECONFIG"):
        await config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # as above
    else:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # as above
    return client.ApiClient(settings)


def _path(kind: str, namespace: str, name: str = "") -> str:
    prefix, plural = _PREFIXES[kind]
    path = f"{prefix}/namespaces/{namespace}/{plural}"
    return f"{path}/{name}" if name else path


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:500]
