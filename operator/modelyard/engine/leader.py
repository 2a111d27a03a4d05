"""Which replica works: the one whose name is in the Lease.

Expiry is judged by this process's own clock, from when it saw the record change last: clocks of other machines are
not compared. Every request is bounded, so that one that hangs costs leadership and never makes a second leader. A Lease
does not stop a write that is under way already: children's fixed names and server-side apply make that one harmless.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from modelyard.api import names
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.kube.errors import ApiError, Conflict
from modelyard.kube.resources import LEASES

_URL = f"{names.GROUP}/webhook-url"

log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """Another replica leads, or may: the process has to end."""


class Leases(Protocol):
    """What the election does to the API server."""

    async def get(self, ref: ObjectRef) -> Manifest | None:
        """Read it."""
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Create it; Conflict when it exists."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """Write it; Conflict when it changed."""
        ...


@dataclass(frozen=True)
class Terms:
    """Whose Lease, and for how long."""

    namespace: str
    identity: str
    name: str = "modelyard"
    lease_seconds: float = 15.0
    retry_seconds: float = 2.0
    url: str = ""
    """Where this replica is reached by the others while it leads; told in the Lease."""

    @property
    def renew_seconds(self) -> float:
        """A leader that could not renew for so long stops, well before others may start."""
        return self.lease_seconds * 2 / 3

    @property
    def request_seconds(self) -> float:
        """How long one request may take: two of them fit before leadership is lost."""
        return self.lease_seconds / 4


@dataclass(frozen=True)
class Pulse:
    """The time and chance that an elector needs; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    fraction: Callable[[], float] = random.random


class Elector:
    """Takes the Lease, keeps it, gives it back."""

    def __init__(self, leases: Leases, terms: Terms, pulse: Pulse | None = None) -> None:
        self._leases = leases
        self._terms = terms
        self._pulse = pulse or Pulse()
        self._held: Manifest | None = None
        """The Lease as last written by this replica; None while it does not lead."""
        self._renewed_at = float("-inf")
        self._seen: tuple[Any, float] | None = None
        """The record of whoever leads, and when it was first seen so."""
        self._leader_url = ""

    @property
    def leads(self) -> bool:
        """Whether this replica may work right now."""
        return self._held is not None and self._pulse.now() < self._renewed_at + self._terms.renew_seconds

    @property
    def leader_url(self) -> str:
        """Where the replica that leads is reached, as the Lease said when it was last read; empty while none leads."""
        return self._leader_url

    async def acquire(self) -> None:
        """Wait until this replica leads."""
        while not await self._attempt(self._take):
            await self._pulse.sleep(self._until_next_look())
        log.info("leading: %s holds the Lease %s", self._terms.identity, self._terms.name)

    async def keep(self) -> None:
        """Renew for as long as it works; never returns.

        Raises:
            LeadershipLost: it did not work for too long, or another replica leads.
        """
        while True:
            await self._pulse.sleep(self._jittered())
            if not await self._attempt(self._renew) and not self.leads:
                self._held = None
                raise LeadershipLost(f"the Lease was not renewed for {self._terms.renew_seconds:.0f} s")

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait for its end; nothing while not leading."""
        if not self.leads or self._held is None:
            return
        lease = self._written(self._held, holder="")
        self._held = None
        try:
            async with asyncio.timeout(self._terms.request_seconds):
                await self._leases.replace(lease)
        except (ApiError, TimeoutError) as error:
            log.warning("the Lease could not be released; another replica leads once it has ended: %s", error)

    async def _attempt(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """One bounded step; what the API server does wrong is a step that failed."""
        try:
            async with asyncio.timeout(self._terms.request_seconds):
                return await step()
        except TimeoutError:
            log.warning("the Lease was not answered within %.1f s", self._terms.request_seconds)
        except Conflict:
            pass  # another replica was faster, or an own write went through without an answer: the next look tells
        except ApiError as error:
            log.warning("the Lease could not be read or written: %s", error)
        return False

    async def _take(self) -> bool:
        """Take the Lease if it is free."""
        started = self._pulse.now()
        found = await self._leases.get(ObjectRef(LEASES.api_version, LEASES.kind, self._terms.namespace, self._name))
        if found is None:
            self._holds(await self._leases.create(self._written(None, self._terms.identity)), started)
            return True
        is_free = self._is_free(found)
        self._leader_url = "" if is_free else str((found["metadata"].get("annotations") or {}).get(_URL) or "")
        if not is_free:
            return False
        self._holds(await self._leases.replace(self._written(found, self._terms.identity)), started)
        return True

    async def _renew(self) -> bool:
        """Write the Lease anew; after a write that was not answered, read it first.

        Raises:
            LeadershipLost: another replica's name is in it.
        """
        started = self._pulse.now()
        held = self._held
        if held is None:
            raise LeadershipLost("this replica does not lead")
        try:
            renewed = await self._leases.replace(self._written(held, self._terms.identity))
        except Conflict:
            await self._read_again()
            return False
        self._holds(renewed, started)
        return True

    async def _read_again(self) -> None:
        """Find out who holds a Lease that changed without us."""
        found = await self._leases.get(ObjectRef(LEASES.api_version, LEASES.kind, self._terms.namespace, self._name))
        holder = (found or {}).get("spec", {}).get("holderIdentity")
        if found is None or holder != self._terms.identity:
            self._held = None
            raise LeadershipLost(f"the Lease is held by {holder or 'nobody'}")
        self._held = found

    def _is_free(self, lease: Manifest) -> bool:
        """Whether nobody holds it: given back, or not renewed for its whole length while we looked."""
        spec = lease.get("spec") or {}
        if not spec.get("holderIdentity"):
            return True
        now = self._pulse.now()
        if self._seen is None or self._seen[0] != spec:
            self._seen = (spec, now)
        return now >= self._expires_at()

    def _expires_at(self) -> float:
        """When the record that is there now is void, on our clock."""
        if self._seen is None:
            return float("inf")
        spec, seen_at = self._seen
        return seen_at + float(spec.get("leaseDurationSeconds") or self._terms.lease_seconds)

    def _until_next_look(self) -> float:
        """Not later than the moment the record expires; after that, no more often than usual."""
        left = self._expires_at() - self._pulse.now()
        return min(self._jittered(), left) if left > 0 else self._jittered()

    def _jittered(self) -> float:
        """So that replicas do not ask in step."""
        return self._terms.retry_seconds * (0.5 + 0.5 * self._pulse.fraction())

    def _holds(self, lease: Manifest, since: float) -> None:
        """We lead, counted from before the request was sent."""
        self._held, self._renewed_at = lease, since

    def _written(self, before: Manifest | None, holder: str) -> Manifest:
        """The Lease with this holder; keeps the version, so that a change in between is a Conflict."""
        spec = (before or {}).get("spec") or {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        is_ours = spec.get("holderIdentity") == holder
        transitions = int(spec.get("leaseTransitions") or 0)
        metadata: dict[str, Any] = {"name": self._name, "namespace": self._terms.namespace}
        if holder and self._terms.url:
            metadata["annotations"] = {_URL: self._terms.url}
        if before:
            metadata |= {"resourceVersion": before["metadata"]["resourceVersion"]}
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": round(self._terms.lease_seconds) if holder else 1,
                "acquireTime": spec.get("acquireTime", now) if is_ours else now,
                "renewTime": now,
                "leaseTransitions": transitions + (0 if is_ours or not before or not holder else 1),
            },
        }

    @property
    def _name(self) -> str:
        """The Lease's name."""
        return self._terms.name
