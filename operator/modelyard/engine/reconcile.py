"""One reconcile: observe, plan, ask and plan again, do what the plan says, write status once on every path."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from modelyard.core.plan import Answers, Event, Failure, Key, Manifest, ObjectRef, Plan, Question
from modelyard.core.serving import Warned, is_owned_by
from modelyard.kube.errors import ApiError, Conflict, Forbidden, Invalid, NotFound

log = logging.getLogger(__name__)

_MOST_ROUNDS = 20
"""Questions lead to questions, but not for ever: more rounds than this are a bug in a plan."""

Ask = Callable[[Question, str], Awaitable[Any]]
"""Puts a question of this namespace's objects to whoever can answer it."""


class Objects(Protocol):
    """What a reconcile does to the API server."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Create it."""
        ...

    async def get(self, ref: ObjectRef) -> Manifest | None:
        """Read it, past the caches."""
        ...

    async def newest_warning(self, ref: ObjectRef) -> Warned | None:
        """What the newest Warning about it says."""
        ...

    async def apply(self, manifest: Manifest) -> Manifest:
        """Apply it on the server's side."""
        ...

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """Apply its status."""
        ...

    async def delete(self, ref: ObjectRef) -> None:
        """Delete it, if it is still there."""
        ...

    async def tell(self, about: Manifest, events: Sequence[Event]) -> None:
        """Post Events; failing to is not an error."""
        ...


@dataclass(frozen=True)
class Wiring:
    """How one kind is read, observed and decided."""

    read: Callable[[Key], Manifest | None]
    """The object from the cache."""
    observe: Callable[[Manifest, Answers], Any]
    """Everything around it from the caches, with the answers so far."""
    plan: Callable[[Manifest, Any, datetime], Plan]
    plan_refused: Callable[[Manifest, Any, Failure, datetime], Plan]
    """What to say when the API server refuses what the plan wants."""
    remember: Callable[[Manifest], None]
    """Put what the API server answered into the caches, so that the next reconcile sees it."""


@dataclass(frozen=True)
class Reconciler:
    """Reconciles the objects of one kind; called with a key, as often as anyone likes."""

    wiring: Wiring
    objects: Objects
    ask: Ask
    clock: Callable[[], datetime]
    """The API server's: times in the objects it keeps are compared with it."""

    async def __call__(self, key: Key) -> float | None:
        """Do the object's next step; returns the seconds until it wants to be looked at again.

        Raises:
            ApiError: the API server could not or would not do it; to be tried again with back-off.
        """
        resource = self.wiring.read(key)
        if resource is None or resource["metadata"].get("deletionTimestamp"):
            return None
        now = self.clock()
        observed, plan = await self._settle(resource, now, self.wiring.plan, {})
        try:
            await self._carry_out(plan, resource)
        except (Forbidden, Invalid, Conflict) as refusal:
            said = Failure(refusal.reason or "Refused", refusal.message)
            told = await self._say(resource, said, now, observed.answers)
            await self._tell(resource, told)
            refusal.recheck_after = told.recheck_after
            raise
        await self._tell(resource, plan)
        return plan.recheck_after

    async def _say(self, resource: Manifest, refusal: Failure, now: datetime, answers: Answers) -> Plan:
        """What to say of a refusal, with the answers that the refused plan knew."""

        def decide(about: Manifest, observed: Any, at: datetime) -> Plan:  # noqa: ANN401 - of the kind
            return self.wiring.plan_refused(about, observed, refusal, at)

        return (await self._settle(resource, now, decide, dict(answers)))[1]

    async def _settle(
        self,
        resource: Manifest,
        now: datetime,
        decide: Callable[[Manifest, Any, datetime], Plan],
        answers: dict[Question, Any],
    ) -> tuple[Any, Plan]:
        """Plan, ask what the plan asks, and plan again, until nothing is open."""
        for _ in range(_MOST_ROUNDS):
            observed = self.wiring.observe(resource, answers)
            plan = decide(resource, observed, now)
            if not plan.questions:
                return observed, plan
            answers |= await answered(plan.questions, self.ask, resource["metadata"]["namespace"])
        raise RuntimeError(f"a plan still asks after {_MOST_ROUNDS} rounds: {plan.questions}")

    async def _carry_out(self, plan: Plan, resource: Manifest) -> None:
        """Children first: a status that speaks of them is written once they are there."""
        for manifest in plan.create:
            self.wiring.remember(await self._create(manifest, resource))
        for manifest in plan.apply:
            self.wiring.remember(await self.objects.apply(manifest))
        for ref in plan.delete:
            await self.objects.delete(ref)

    async def _create(self, manifest: Manifest, resource: Manifest) -> Manifest:
        """Create what is made once; one that is ours already was made before a crash."""
        try:
            return await self.objects.create(manifest)
        except Conflict:
            metadata = manifest["metadata"]
            ref = ObjectRef(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"])
            found = await self.objects.get(ref)
            if found is None or not is_owned_by(found, resource["metadata"]["uid"]):
                raise
            return found

    async def _tell(self, resource: Manifest, plan: Plan) -> None:
        """Write the status if there is a new one, and the Events that belong to it."""
        if plan.status is None:
            return
        metadata = resource["metadata"]
        manifest = {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            # The UID makes the API server refuse the status of one object for another of the same name, the version a
            # status that was decided on an older one: what ended must not be told to run again.
            "metadata": {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion")},
            "status": dict(plan.status),
        }
        try:
            self.wiring.remember(await self.objects.apply_status(manifest))
        except NotFound:
            log.info("deleted before its status was written")
            return
        await self.objects.tell(resource, plan.events)


async def answered(questions: tuple[Question, ...], ask: Ask, namespace: str) -> dict[Question, Any]:
    """The answers to questions, asked side by side."""
    asking = (ask(question, namespace) for question in questions)
    return dict(zip(questions, await asyncio.gather(*asking), strict=True))


__all__ = ["ApiError", "Ask", "Objects", "Reconciler", "Wiring", "answered"]
