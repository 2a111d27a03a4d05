"""One pass over one SeldonDeployment: children first, then the status, then what is left over."""

import asyncio
import datetime as dt
import logging
from typing import Protocol

from tools.seldon_standin.render import KIND, LABEL_SDEP, Manifest, render_deployments, render_services, shortened
from tools.seldon_standin.status import Observed, failed, next_outcome, says_the_same
from tools.seldon_standin.support import problems

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Something a user has to change; its text becomes the status' description."""


class Cluster(Protocol):
    """The API server as far as a pass needs it; None stands for `not found`."""

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """One object."""

    async def list_labelled(self, kind: str, namespace: str, selector: str) -> list[Manifest]:
        """All of a kind in a namespace that the label selector fits."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Makes or changes it; gives it as it is afterwards."""

    async def delete(self, manifest: Manifest) -> None:
        """Deletes this very object and what it owns, or finds it gone."""

    async def write_status(self, sdep: Manifest, status: Manifest) -> None:
        """Replaces the status of the object as it was read."""


async def reconcile(cluster: Cluster, namespace: str, name: str, lag_seconds: float) -> None:
    """Brings one object nearer to its spec; the caller runs it again whenever the object or a child of it changed.

    After a change to a child the status follows `lag_seconds` later, so that the last one stands for as long as it was
    seen to with the real manager.
    """
    sdep = await cluster.get(KIND, namespace, name)
    if sdep is None or "deletionTimestamp" in sdep["metadata"]:
        return
    found = problems(sdep)
    if found:
        raise RefusedError("; ".join(found))
    changed = await _apply_children(cluster, sdep)
    if changed:
        await asyncio.sleep(lag_seconds)
    await _tell(cluster, sdep, changed)


async def refuse(cluster: Cluster, namespace: str, name: str, description: str) -> None:
    """Says in the status why nothing more is done."""
    sdep = await cluster.get(KIND, namespace, name)
    if sdep is not None:
        await _write_if_different(cluster, sdep, failed(sdep, description))


async def _tell(cluster: Cluster, sdep: Manifest, changed: frozenset[tuple[str, str]]) -> None:
    deployments, services = await _owned(cluster, sdep, "Deployment"), await _owned(cluster, sdep, "Service")
    outcome = next_outcome(sdep, Observed(deployments, services, changed), _now())
    await _write_if_different(cluster, sdep, outcome.status)
    for kind, name in outcome.departing:
        manifest = deployments[name] if kind == "Deployment" else services[name]
        if "deletionTimestamp" not in manifest["metadata"]:
            log.info("deleting %s %s/%s", kind, manifest["metadata"]["namespace"], name)
            await cluster.delete(manifest)


async def _write_if_different(cluster: Cluster, sdep: Manifest, status: Manifest) -> None:
    if not says_the_same(sdep.get("status") or {}, status):
        said = ": ".join(filter(None, (status["state"], status.get("description"))))
        log.info("%s/%s is %s", sdep["metadata"]["namespace"], sdep["metadata"]["name"], said)
        await cluster.write_status(sdep, status)


async def _apply_children(cluster: Cluster, sdep: Manifest) -> frozenset[tuple[str, str]]:
    changed = set()
    for desired in [*render_services(sdep), *render_deployments(sdep)]:
        if await _apply_child(cluster, sdep, desired):
            changed.add((desired["kind"], desired["metadata"]["name"]))
    return frozenset(changed)


async def _apply_child(cluster: Cluster, sdep: Manifest, desired: Manifest) -> bool:
    """Whether the child differs from what was there before."""
    kind, metadata = desired["kind"], desired["metadata"]
    before = await cluster.get(kind, metadata["namespace"], metadata["name"])
    if before is None:
        await cluster.apply(desired)
        return True
    if not _is_owned(before, sdep):
        raise RefusedError(
            f"{kind} {metadata['name']} exists and belongs to something else: delete it or rename this object"
        )
    if kind == "Deployment" and before["spec"]["selector"] != desired["spec"]["selector"]:
        # A selector cannot be changed. The real manager, too, takes the Deployment away and makes it anew: downtime.
        await cluster.delete(before)
        return True
    after = await cluster.apply(desired)
    return bool(before["spec"] != after["spec"]) or any(
        before["metadata"].get(field, {}).get(name) != value
        for field in ("labels", "annotations")
        for name, value in metadata[field].items()
    )


async def _owned(cluster: Cluster, sdep: Manifest, kind: str) -> dict[str, Manifest]:
    metadata = sdep["metadata"]
    children = await cluster.list_labelled(kind, metadata["namespace"], f"{LABEL_SDEP}={shortened(metadata['name'])}")
    return {child["metadata"]["name"]: child for child in children if _is_owned(child, sdep)}


def _is_owned(child: Manifest, sdep: Manifest) -> bool:
    owners = child["metadata"].get("ownerReferences", [])
    return any(owner.get("controller") and owner["uid"] == sdep["metadata"]["uid"] for owner in owners)


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
