"""Cache and queue under any order of events, own writes, lists and work."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from modelyard.core.plan import Manifest
from modelyard.engine.cache import Cache
from modelyard.engine.queue import WorkQueue
from unit.engine.fakes import FakeClock, make_object


@dataclass
class World:
    """One object's history in the cluster: each entry is a change, told by an event that may come late or never."""

    history: list[Manifest] = field(default_factory=list)
    is_alive: bool = False
    life: int = 0

    def change(self) -> Manifest:
        if not self.is_alive:
            self.life += 1
            self.is_alive = True
        self.history.append(make_object(version=len(self.history) + 1, uid=f"life-{self.life}"))
        return self.history[-1]

    def delete(self) -> Manifest | None:
        if not self.is_alive:
            return None
        self.is_alive = False
        gone = make_object(version=len(self.history) + 1, uid=f"life-{self.life}")
        gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self.history.append(gone)
        return gone


def deliver(cache: Cache, event: Manifest) -> None:
    """As the engine does with events; the deletion timestamp stands for the type DELETED here."""
    if "deletionTimestamp" in event["metadata"]:
        cache.drop(event)
    else:
        cache.upsert(event)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_whatever_the_order_of_events_the_newest_state_remains(changes: list[bool], data: st.DataObject) -> None:
    world = World()
    for is_change in changes:
        world.change() if is_change else world.delete()
    events = data.draw(st.permutations(world.history))
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    cache = Cache()
    for event in [*events, *repeated]:
        deliver(cache, event)
    held = cache.get("team", "job")
    assert held == (world.history[-1] if world.is_alive else None)


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_a_held_version_is_never_replaced_by_an_older_one(changes: list[bool], data: st.DataObject) -> None:
    world = World()
    for is_change in changes:
        world.change() if is_change else world.delete()
    cache, newest = Cache(), 0
    for event in data.draw(st.lists(st.sampled_from(world.history), max_size=20)) if world.history else []:
        deliver(cache, event)
        held = cache.get("team", "job")
        version = int(held["metadata"]["resourceVersion"]) if held else newest
        assert version >= newest
        newest = version


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_a_list_heals_whatever_events_were_lost(changes: list[bool], data: st.DataObject) -> None:
    world = World()
    for is_change in changes:
        world.change() if is_change else world.delete()
    cache = Cache()
    for event in data.draw(st.lists(st.sampled_from(world.history), max_size=20)) if world.history else []:
        deliver(cache, event)
    listed = [world.history[-1]] if world.is_alive else []
    for item in listed:
        cache.upsert(item)
    cache.sweep({item["metadata"]["uid"] for item in listed}, str(len(world.history)))
    assert list(cache.values()) == listed


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abc")),
        st.tuples(st.just("add_after"), st.sampled_from("abc")),
        st.tuples(st.just("take"), st.just("")),
        st.tuples(st.just("done"), st.sampled_from("abc")),
        st.tuples(st.just("fail"), st.sampled_from("abc")),
        st.tuples(st.just("fail_with_floor"), st.sampled_from("abc")),
        st.tuples(st.just("wait"), st.just("")),
    ),
    max_size=60,
)


class QueueModel:
    """Keeps count of which keys have something new that nobody looked at since."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queue: WorkQueue[str] = WorkQueue(self.clock, fraction=lambda: 0.5)
        self.news: set[str] = set()
        self.at_work: set[str] = set()

    async def do(self, step: str, key: str) -> None:
        match step:
            case "add":
                self.news.add(key)
                self.queue.add(key)
            case "add_after":
                self.news.add(key)
                self.queue.add_after(key, 3)
            case "take":
                await self.take()
            case "wait":
                self.clock.advance(2)
            case "done" | "fail" | "fail_with_floor" if key in self.at_work:
                self.finish(step, key)

    async def take(self) -> None:
        if not len(self.queue):
            return
        key = await self.queue.get()
        assert key not in self.at_work, "two workers have the same key"
        self.at_work.add(key)
        self.news.discard(key)

    def finish(self, step: str, key: str) -> None:
        if step == "done":
            self.queue.forget(key)
        else:
            self.news.add(key)
            self.queue.retry(key, 10 if step == "fail_with_floor" else None)
        self.at_work.discard(key)
        self.queue.done(key)

    async def drain(self) -> None:
        for key in list(self.at_work):
            self.finish("done", key)
        while len(self.queue) or self.clock.pending():
            if not len(self.queue):
                self.clock.advance(600)
                continue
            await self.take()
            for key in list(self.at_work):
                self.finish("done", key)


@given(STEPS)
def test_no_wake_up_is_lost_and_no_key_has_two_workers(steps: list[tuple[str, str]]) -> None:
    async def scenario() -> None:
        model = QueueModel()
        for step, key in steps:
            await model.do(step, key)
            assert len(model.clock.pending()) <= 3, "timers pile up"
        await model.drain()
        assert not model.news

    asyncio.run(scenario())
