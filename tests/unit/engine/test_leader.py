"""The election, against Leases in memory with faults, and a clock that moves when the elector sleeps."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from modelyard.core.plan import Manifest, ObjectRef
from modelyard.engine.leader import Elector, LeadershipLost, Pulse, Terms
from modelyard.kube.errors import Conflict, Unreachable


class FakeLeases:
    """One Lease with optimistic locking; every call goes through `fault` first."""

    def __init__(self) -> None:
        self.lease: Manifest | None = None
        self.version = 0
        self.calls: list[str] = []
        self.fault: Callable[[str], Awaitable[None]] | None = None
        self.fault_after_write: Callable[[], None] | None = None

    async def get(self, ref: ObjectRef) -> Manifest | None:
        assert (ref.namespace, ref.name) == ("system", "modelyard")
        await self._count("get")
        return copy.deepcopy(self.lease)

    async def create(self, manifest: Manifest) -> Manifest:
        await self._count("create")
        if self.lease is not None:
            raise Conflict(409, "AlreadyExists", "exists")
        return self._store(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        await self._count("replace")
        if self.lease is None or manifest["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict(409, "Conflict", "changed")
        stored = self._store(manifest)
        if self.fault_after_write:
            self.fault_after_write()
        return stored

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])

    async def _count(self, call: str) -> None:
        self.calls.append(call)
        if self.fault:
            await self.fault(call)

    def _store(self, manifest: Manifest) -> Manifest:
        self.version += 1
        self.lease = copy.deepcopy(manifest)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.plans: list[tuple[float, Callable[[], Any]]] = []

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0, "a loop that does not sleep floods the API server"
        self.now += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.now]:
            self.plans.remove(plan)
            plan[1]()
        await asyncio.sleep(0)

    async def reached(self, moment: float) -> None:
        event = asyncio.Event()
        self.plans.append((moment, event.set))
        await event.wait()

    def pulse(self) -> Pulse:
        return Pulse(now=lambda: self.now, sleep=self.sleep, fraction=lambda: 1.0)


@pytest.fixture
def leases() -> FakeLeases:
    return FakeLeases()


@pytest.fixture
def time() -> Time:
    return Time()


def make_elector(leases: FakeLeases, time: Time, identity: str = "a") -> Elector:
    return Elector(leases, Terms("system", identity), time.pulse())


async def unreachable(_: str) -> None:
    raise Unreachable("connection refused")


async def test_the_first_replica_leads_at_once(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    assert not elector.leads
    await elector.acquire()
    assert elector.leads
    assert leases.holder == "a"


async def test_a_lease_that_was_given_back_is_taken_at_the_next_look(leases: FakeLeases, time: Time) -> None:
    first, second = make_elector(leases, time, "a"), make_elector(leases, time, "b")
    await first.acquire()
    await first.release()
    assert not first.leads
    started = time.now
    await second.acquire()
    assert time.now - started <= 2
    assert leases.holder == "b"


async def test_the_lease_of_a_dead_leader_is_taken_when_it_has_ended_and_not_before(
    leases: FakeLeases, time: Time
) -> None:
    await make_elector(leases, time, "dead").acquire()
    started = time.now
    await make_elector(leases, time, "b").acquire()
    assert 15 <= time.now - started < 17.1


async def test_expiry_counts_from_the_last_change_that_was_seen(leases: FakeLeases, time: Time) -> None:
    first = make_elector(leases, time, "a")
    await first.acquire()
    renewals: list[asyncio.Task[bool]] = []
    time.plans.append((time.now + 10, lambda: renewals.append(asyncio.create_task(first._attempt(first._renew)))))
    started = time.now
    await make_elector(leases, time, "b").acquire()
    assert renewals[0].result()
    assert 25 <= time.now - started < 29


async def test_of_two_that_take_it_at_once_one_leads(leases: FakeLeases, time: Time) -> None:
    electors = [make_elector(leases, time, name) for name in "ab"]
    acquiring = [asyncio.create_task(elector.acquire()) for elector in electors]
    done, pending = await asyncio.wait(acquiring, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert sum(elector.leads for elector in electors) == 1
    for task in pending:
        task.cancel()


async def test_a_connection_error_while_acquiring_is_tried_again_at_the_usual_pace(
    leases: FakeLeases, time: Time
) -> None:
    leases.fault = unreachable
    started = time.now
    time.plans.append((started + 60, lambda: setattr(leases, "fault", None)))
    elector = make_elector(leases, time)
    await elector.acquire()
    assert elector.leads
    assert leases.calls.count("get") <= 32


async def test_a_leader_that_cannot_renew_stops_well_before_its_lease_ends(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()
    renewed_at = time.now
    leases.fault = unreachable
    with pytest.raises(LeadershipLost):
        await elector.keep()
    assert 10 <= time.now - renewed_at <= 12.1
    assert not elector.leads


async def test_a_leader_survives_an_outage_shorter_than_that(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()
    leases.fault = unreachable
    time.plans.append((time.now + 7, lambda: setattr(leases, "fault", None)))
    keeping = asyncio.create_task(elector.keep())
    await time.reached(140)
    assert elector.leads
    keeping.cancel()


async def test_a_call_that_hangs_costs_leadership_in_bounded_time(leases: FakeLeases) -> None:
    terms = Terms("system", "a", lease_seconds=0.4, retry_seconds=0.02)
    elector = Elector(leases, terms)
    await elector.acquire()

    async def hang(_: str) -> None:
        await asyncio.sleep(60)

    leases.fault = hang
    started = asyncio.get_running_loop().time()
    with pytest.raises(LeadershipLost):
        await elector.keep()
    assert asyncio.get_running_loop().time() - started < 0.4 + 0.2


async def test_a_leader_without_renewal_does_not_lead_even_before_it_notices(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()
    time.now += 90  # the process was stopped, and goes on
    assert not elector.leads


async def test_a_leader_that_finds_another_in_the_lease_stops_at_once(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()
    assert leases.lease is not None
    leases.lease["spec"]["holderIdentity"] = "b"
    leases.version += 1
    leases.lease["metadata"]["resourceVersion"] = str(leases.version)
    with pytest.raises(LeadershipLost, match="held by b"):
        await elector.keep()


async def test_replicas_that_stand_by_know_where_the_leader_is_reached(leases: FakeLeases, time: Time) -> None:
    first = Elector(leases, Terms("system", "a", url="http://10.0.0.1:8082"), time.pulse())
    second = Elector(leases, Terms("system", "b", url="http://10.0.0.2:8082"), time.pulse())
    await first.acquire()
    acquiring = asyncio.create_task(second.acquire())
    await time.reached(103)
    assert second.leader_url == "http://10.0.0.1:8082"
    await first.release()
    await acquiring
    third = Elector(leases, Terms("system", "c"), time.pulse())
    acquiring = asyncio.create_task(third.acquire())
    await time.reached(time.now + 3)
    assert third.leader_url == "http://10.0.0.2:8082"
    acquiring.cancel()


async def test_a_renewal_whose_answer_was_lost_is_not_a_loss(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()

    def lose_answer() -> None:
        leases.fault_after_write = None
        raise Unreachable("connection reset")

    leases.fault_after_write = lose_answer
    keeping = asyncio.create_task(elector.keep())
    await time.reached(140)
    assert elector.leads
    keeping.cancel()


async def test_a_lease_that_cannot_be_given_back_is_no_error(leases: FakeLeases, time: Time) -> None:
    elector = make_elector(leases, time)
    await elector.acquire()
    leases.fault = unreachable
    await elector.release()
    assert not elector.leads


async def test_only_a_leader_gives_the_lease_back(leases: FakeLeases, time: Time) -> None:
    await make_elector(leases, time, "a").acquire()
    await make_elector(leases, time, "b").release()
    assert leases.holder == "a"
