"""The receiver: what it answers, to whom it passes things on, and how much it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from modelyard.adapters.mlflow_webhook import PATH, Bucket, Receiver, served
from modelyard.core.tracking import Moved
from support.operator_process import free_port
from support.webhooks import SECRET, alias_event, signed


@dataclass
class Replica:
    """One receiver, with what came of its deliveries."""

    is_leading: bool = True
    leader_url: str = ""
    port: int = field(default_factory=free_port)
    moved: list[Moved] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Yard:
    """Any number of replicas."""

    def __init__(self, stack: AsyncExitStack, session: aiohttp.ClientSession, secret: Path) -> None:
        self.stack, self.session, self.secret = stack, session, secret

    async def start(self, replica: Replica) -> Replica:
        receiver = Receiver(self.secret, replica, replica.moved.append, replica.counted.append, self.session)
        await self.stack.enter_async_context(served("127.0.0.1", replica.port, receiver))
        return replica

    async def post(self, replica: Replica, headers: dict[str, str], body: bytes, path: str = PATH) -> int:
        async with self.session.post(replica.url + path, headers=headers, data=body) as answer:
            return answer.status


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Yard(stack, session, secret)


async def test_the_leader_hears_of_a_move_once(yard: Yard) -> None:
    leader = await yard.start(Replica())
    assert await yard.post(leader, *signed(alias_event())) == 200
    assert await yard.post(leader, *signed(alias_event())) == 200
    assert leader.moved == [Moved("digits", "champion")]
    assert leader.counted == ["accepted", "duplicate"]


async def test_another_replica_passes_it_on_to_the_leader(yard: Yard) -> None:
    leader = await yard.start(Replica())
    follower = await yard.start(Replica(is_leading=False, leader_url=leader.url))
    assert await yard.post(follower, *signed(alias_event())) == 200
    assert (leader.moved, follower.moved) == ([Moved("digits", "champion")], [])
    assert follower.counted == ["forwarded"]


async def test_two_that_take_each_other_for_the_leader_do_not_pass_it_to_and_fro(yard: Yard) -> None:
    one, other = Replica(is_leading=False), Replica(is_leading=False)
    one.leader_url, other.leader_url = other.url, one.url
    await yard.start(one)
    await yard.start(other)
    assert await yard.post(one, *signed(alias_event())) == 503
    assert (one.counted, other.counted) == (["nobody_leads"], ["nobody_leads"])


@pytest.mark.parametrize("leader_url", ["", "http://127.0.0.1:9"])
async def test_while_nobody_leads_mlflow_is_to_try_again_and_then_it_counts(yard: Yard, leader_url: str) -> None:
    replica = await yard.start(Replica(is_leading=False, leader_url=leader_url))
    assert await yard.post(replica, *signed(alias_event())) == 503
    replica.is_leading = True
    assert await yard.post(replica, *signed(alias_event())) == 200
    assert replica.moved == [Moved("digits", "champion")]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 401),
        (*signed(alias_event(), secret="another"), 401),
        (*signed(alias_event(), timestamp=1), 401),
        (*signed(b"{"), 400),
        (*signed({"entity": "model_version"}), 200),
    ],
    ids=["empty", "another secret", "old", "no JSON", "another entity"],
)
async def test_what_is_not_believed_wakes_nobody(yard: Yard, headers: dict[str, str], body: bytes, status: int) -> None:
    leader = await yard.start(Replica())
    assert await yard.post(leader, headers, body) == status
    assert leader.moved == []


async def test_a_body_is_read_to_64_kib_and_no_further(yard: Yard) -> None:
    leader = await yard.start(Replica())
    large = alias_event(padding="x" * 70_000)
    assert await yard.post(leader, *signed(large)) == 400
    assert await yard.post(leader, *signed(alias_event(padding="x" * 60_000))) == 200
    assert leader.moved == [Moved("digits", "champion")]


async def test_only_this_path_and_method_are_there(yard: Yard) -> None:
    leader = await yard.start(Replica())
    assert await yard.post(leader, *signed(alias_event()), path="/") == 404
    async with yard.session.get(leader.url + PATH) as answer:
        assert answer.status == 405


async def test_a_flood_is_refused_and_what_comes_afterwards_is_not(yard: Yard) -> None:
    leader = await yard.start(Replica())
    answers = await asyncio.gather(*(yard.post(leader, {}, b"") for _ in range(300)))
    assert answers.count(429) > 100
    await asyncio.sleep(0.2)
    assert await yard.post(leader, *signed(alias_event())) == 200


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(per_second=2, burst=3, now=lambda: now[0])
    assert [bucket.admits() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.admits() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [bucket.admits() for _ in range(4)] == [True, True, True, False]
