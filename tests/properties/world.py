"""A small world for plans to act in: an API server, lagging caches, a clock, and a shell that can crash at any step.

Everything is deterministic: chance comes from one seeded generator.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import builders
from modelyard.core import clock
from modelyard.core.plan import Failure, Manifest, ObjectRef, Plan, Question
from modelyard.core.serving import is_owned_by

Identity = tuple[str, str]
"""Kind and name; all is in one namespace."""


def clone(manifest: Any) -> Any:
    """A copy that shares nothing; quicker than copy.deepcopy."""
    return json.loads(json.dumps(manifest))


class Crashed(Exception):
    """The operator ended here."""


class Refused(Exception):
    """The API server refused a request."""


@dataclass
class Clock:
    """The time, which passes only when it is told to."""

    now: datetime = builders.NOW

    def advance(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Crasher:
    """Counts steps and ends the operator at one of them, or by chance."""

    at: int | None = None
    probability: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    steps: list[str] = field(default_factory=list)

    def point(self, name: str) -> None:
        """One step that may be the last."""
        self.steps.append(name)
        if len(self.steps) - 1 == self.at or self.chance.random() < self.probability:
            raise Crashed(name)


@dataclass
class ApiServer:
    """Objects, with what matters here of a real server's rules."""

    clock: Clock
    objects: dict[Identity, Manifest] = field(default_factory=dict)
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    version: int = 1000
    after_write: Callable[[], None] = lambda: None
    """Looks at everything after each of the operator's writes."""

    def get(self, kind: str, name: str) -> Manifest | None:
        return clone(self.objects.get((kind, name)))

    def of_kind(self, kind: str) -> list[Manifest]:
        return [item for (found, _), item in self.objects.items() if found == kind]

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object as a controller or a user left it."""
        self.version += 1
        stored = clone(manifest)
        metadata = stored["metadata"]
        metadata.setdefault("uid", f"uid-{self.version}")
        metadata.setdefault("creationTimestamp", clock.to_text(self.clock.now))
        metadata.setdefault("generation", 1)
        metadata["resourceVersion"] = str(self.version)
        self.objects[stored["kind"], metadata["name"]] = stored
        return clone(stored)

    def remove(self, kind: str, name: str) -> None:
        self.objects.pop((kind, name), None)

    def create(self, manifest: Manifest) -> Manifest:
        name = manifest["metadata"]["name"]
        if (manifest["kind"], name) in self.objects:
            raise Refused("AlreadyExists")
        self.writes.append(("create", manifest["kind"], name))
        return self.put(manifest)

    def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply by one manager: what it no longer names goes."""
        made = self._apply(manifest)
        self.after_write()
        return made

    def _apply(self, manifest: Manifest) -> Manifest:
        name = manifest["metadata"]["name"]
        found = self.objects.get((manifest["kind"], name))
        self.writes.append(("apply", manifest["kind"], name))
        if found is None:
            return self.put(manifest)
        [owner] = manifest["metadata"]["ownerReferences"]
        if not is_owned_by(found, owner["uid"]):
            raise Refused("Invalid")
        changed = clone(found)
        changed["metadata"] |= {key: manifest["metadata"][key] for key in ("labels", "annotations", "ownerReferences")}
        if changed["spec"] != manifest["spec"]:
            changed["spec"] = manifest["spec"]
            changed["metadata"]["generation"] += 1
        return self.put(changed)

    def apply_status(self, kind: str, name: str, status: dict[str, Any]) -> Manifest:
        found = self.objects[kind, name]
        self.writes.append(("status", kind, name))
        return self.put(found | {"status": clone(status)})

    def delete(self, ref: ObjectRef) -> None:
        """Delete in the foreground: the object stays, marked, until what it owns is gone."""
        found = self.objects.get((ref.kind, ref.name))
        if found and ref.uid in (None, found["metadata"]["uid"]):
            self.writes.append(("delete", ref.kind, ref.name))
            marked = {"deletionTimestamp": clock.to_text(self.clock.now)} | found["metadata"]
            self.put(found | {"metadata": marked})
            self.after_write()

    def collect_garbage(self) -> None:
        """Take away what is marked and owns nothing any more."""
        owners = {ref["uid"] for item in self.objects.values() for ref in item["metadata"].get("ownerReferences", [])}
        for (kind, name), item in list(self.objects.items()):
            if "deletionTimestamp" in item["metadata"] and kind == "Job" and item["metadata"]["uid"] not in owners:
                self.remove(kind, name)


@dataclass
class Cache:
    """What the operator has seen: watch events may come late, and twice, but never backwards."""

    api: ApiServer
    lag: float = 0.0
    chance: random.Random = field(default_factory=random.Random)
    seen: dict[Identity, Manifest] = field(default_factory=dict)

    def listen(self) -> None:
        """Take in watch events; each may be late."""
        for identity in sorted({*self.api.objects, *self.seen}):
            if self.chance.random() >= self.lag:
                self._take(identity)

    def listed(self) -> None:
        """A restarted operator lists everything first; a list may be a moment old and lack what is new."""
        self.seen.clear()
        self.listen()

    def remember(self, manifest: Manifest) -> None:
        """Take in what a write answered."""
        self.seen[manifest["kind"], manifest["metadata"]["name"]] = clone(manifest)

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [item for (kind, _), item in self.seen.items() if kind in kinds]

    def _take(self, identity: Identity) -> None:
        live = self.api.objects.get(identity)
        if live is None:
            self.seen.pop(identity, None)
        else:
            self.seen[identity] = live


Observe = Callable[[Manifest, dict[Question, Any]], Any]
Ask = Callable[[Question], Any]


@dataclass
class Shell:
    """Carries plans out as the operator does, with a place to crash before and after every step."""

    api: ApiServer
    cache: Cache
    clock: Clock
    crasher: Crasher
    observe: Observe
    ask: Ask
    plan: Callable[[Manifest, Any, datetime], Plan]
    plan_refused: Callable[[Manifest, Any, Failure, datetime], Plan]
    told: list[tuple[str, str]] = field(default_factory=list)

    def reconcile(self, kind: str, name: str) -> float | None:
        """One reconcile of one object."""
        resource = self.api.get(kind, name)
        if resource is None:
            return None
        observed, plan = self.settle(resource)
        try:
            self._carry_out(plan, resource)
        except Refused as refusal:
            said = Failure(str(refusal), "no")
            self._tell(resource, self.plan_refused(resource, observed, said, self.clock.now))
            return 1.0
        self._tell(resource, plan)
        return plan.recheck_after

    def settle(self, resource: Manifest) -> tuple[Any, Plan]:
        """Plan, ask, and plan again."""
        answers: dict[Question, Any] = {}
        for _ in range(20):
            observed = self.observe(resource, answers)
            plan = self.plan(resource, observed, self.clock.now)
            if not plan.questions:
                return observed, plan
            for question in plan.questions:
                answers[question] = self._around(f"ask {type(question).__name__}", self.ask, question)
        raise AssertionError(f"asks without end: {plan.questions}")

    def _carry_out(self, plan: Plan, resource: Manifest) -> None:
        for manifest in plan.create:
            self.cache.remember(self._around("create", lambda item: self._create(item, resource), manifest))
        for manifest in plan.apply:
            self.cache.remember(self._around("apply", self.api.apply, manifest))
        for ref in plan.delete:
            self._around("delete", self.api.delete, ref)

    def _create(self, manifest: Manifest, resource: Manifest) -> Manifest:
        try:
            return self.api.create(manifest)
        except Refused:
            found = self.api.get(manifest["kind"], manifest["metadata"]["name"])
            if found is None or not is_owned_by(found, resource["metadata"]["uid"]):
                raise
            return found

    def _tell(self, resource: Manifest, plan: Plan) -> None:
        if plan.status is None:
            return
        kind, name = resource["kind"], resource["metadata"]["name"]
        self._around("status", lambda status: self.api.apply_status(kind, name, dict(status)), plan.status)
        for event in plan.events:
            self._around("event", lambda said: self.told.append((said.reason, said.note)), event)

    def _around(self, name: str, act: Callable[[Any], Any], what: object) -> Any:
        self.crasher.point(f"before {name}")
        result = act(what)
        self.crasher.point(f"after {name}")
        return result


class LivingWorld:
    """A world that goes on tick by tick; each one says what lives in it and what may never be otherwise."""

    quiet_ticks: ClassVar[int]
    """After how many ticks without a change it is over."""
    actions: Mapping[int, Callable[[Any], None]]
    """What a person does at a tick."""
    api: ApiServer
    cache: Cache
    clock: Clock
    tick: int = -1
    crashes: int = 0
    up_at: int = -1
    """The tick at which the next operator begins."""
    ticks_down: int = 0
    """How long no operator runs after a crash; none: the next goes on at once."""

    def controllers(self) -> None:
        """What everyone but the operator does in a second."""
        raise NotImplementedError

    def reconcile(self) -> None:
        """What the operator does in a second."""
        raise NotImplementedError

    def check(self) -> None:
        """What may never be otherwise."""
        raise NotImplementedError

    def run(self, ticks: int = 60) -> Self:
        """Let time pass, until nothing has happened for a while and no person does anything more."""
        quiet_since, version = self.tick, self.api.version
        for _ in range(ticks):
            self.tick += 1
            if self.tick in self.actions:
                self.actions[self.tick](self)
            self.controllers()
            self.cache.listen()
            self._operate()
            self.check()
            self.clock.advance()
            if self.api.version != version or self.tick < self.up_at:
                quiet_since, version = self.tick, self.api.version
            if self.tick - quiet_since > self.quiet_ticks and self.tick > max(self.actions, default=0):
                break
        return self

    def _operate(self) -> None:
        """Reconcile; after a crash another operator begins anew, at once or later."""
        if self.tick < self.up_at:
            return None
        for _ in range(50):
            try:
                return self.reconcile()
            except Crashed:
                self.crashes += 1
                self.cache.listed()
                self.check()
                self.up_at = self.tick + self.ticks_down
                if self.ticks_down:
                    return None
        raise AssertionError("crashes without end")


def without_times(value: Any) -> Any:
    """A status without what a delay changes."""
    if isinstance(value, dict):
        return {
            name: without_times(item)
            for name, item in value.items()
            if not (name.endswith(("Time", "At", "Since")) or name in {"since", "time", "activeSeconds"})
        }
    return [without_times(item) for item in value] if isinstance(value, list) else value


def conditions_of(resource: Manifest) -> dict[str, Manifest]:
    """The conditions of an object by type."""
    return {item["type"]: item for item in (resource.get("status") or {}).get("conditions") or []}


def names_of(items: Iterable[Manifest]) -> list[str]:
    """The names of objects, sorted."""
    return sorted(item["metadata"]["name"] for item in items)
