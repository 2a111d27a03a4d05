"""Leader election by a Lease: every replica watches with warm caches, one reconciles.

Whether a Lease has expired is judged by how long this process has seen it unchanged, never by comparing clocks of two
machines. Leadership does not fence requests under way: that two reconcile at once for a moment is made harmless by
names that come from UIDs and by create refusing a second object of a name.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from modelyard.core.plan import Manifest, ObjectRef
from modelyard.kube.errors import ApiError

log = logging.getLogger(__name__)

_NAME = "modelyard-operator"
_RETRY_SECONDS = 1.5


class Leases(Protocol):
    """What election needs of the API server."""

    async def get(self, ref: ObjectRef) -> Manifest | None:
        """Read the Lease."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Make it."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """Write it as it was read."""
        ...


class Elector:
    """One replica's part in the election."""

    def __init__(
        self,
        leases: Leases,
        namespace: str,
        identity: str,
        lease_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._leases = leases
        self._namespace = namespace
        self._identity = identity
        self._lease_seconds = lease_seconds
        self._deadline_seconds = lease_seconds * 2 / 3
        self._monotonic = monotonic
        self._seen_version: str | None = None
        self._seen_at = monotonic()
        self.is_leader = False

    async def acquire(self) -> None:
        """Return once this replica leads."""
        while not await self._try():
            await asyncio.sleep(_RETRY_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, hides nothing
        self.is_leader = True
        log.info("this replica leads now")

    async def hold(self) -> None:
        """Renew; return once leadership is lost."""
        renewed = self._monotonic()
        while self._monotonic() - renewed < self._deadline_seconds:
            await asyncio.sleep(_RETRY_SECONDS)
            if await self._try():
                renewed = self._monotonic()
            elif self._someone_else_leads:
                break
        self.is_leader = False
        log.error("this replica no longer leads")

    async def release(self) -> None:
        """Let another replica lead at once."""
        if not self.is_leader:
            return
        self.is_leader = False
        try:
            async with asyncio.timeout(3):
                lease = await self._leases.get(self._ref())
                if lease and lease["spec"].get("holderIdentity") == self._identity:
                    await self._leases.replace(lease | {"spec": lease["spec"] | {"holderIdentity": ""}})
        except (ApiError, TimeoutError) as error:
            log.warning("the Lease could not be released, it will expire: %s", error)

    async def _try(self) -> bool:
        """One attempt to take or renew the Lease, bounded in time."""
        try:
            async with asyncio.timeout(self._deadline_seconds / 2):
                return await self._take_or_renew()
        except (ApiError, TimeoutError) as error:
            log.warning("the Lease could not be written: %s", error)
            return False

    async def _take_or_renew(self) -> bool:
        """Write the Lease if it is ours, free or expired."""
        self._someone_else_leads = False
        lease = await self._leases.get(self._ref())
        if lease is None:
            await self._leases.create(self._manifest({}, transitions=0))
            return True
        holder = lease["spec"].get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._has_expired(lease):
            self._someone_else_leads = True
            return False
        transitions = int(lease["spec"].get("leaseTransitions") or 0) + (holder != self._identity)
        await self._leases.replace(self._manifest(lease, transitions))
        return True

    def _has_expired(self, lease: Manifest) -> bool:
        """Whether the Lease stood unchanged for longer than its holder promised to renew it."""
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, self._monotonic()
        promised = float(lease["spec"].get("leaseDurationSeconds") or self._lease_seconds)
        return self._monotonic() - self._seen_at > promised

    def _manifest(self, lease: Manifest, transitions: int) -> Manifest:
        """The Lease with this replica as its holder."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before: dict[str, Any] = lease.get("spec") or {}
        is_renewal = before.get("holderIdentity") == self._identity
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": lease.get("metadata") or {"name": _NAME, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": round(self._lease_seconds),
                "acquireTime": before.get("acquireTime") if is_renewal else now,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }

    def _ref(self) -> ObjectRef:
        """Where the Lease is."""
        return ObjectRef("coordination.k8s.io/v1", "Lease", self._namespace, _NAME)

    _someone_else_leads = False
