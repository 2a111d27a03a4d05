"""Aliases are read once in an interval, however many ask, and whoever follows one hears of its moves."""

import asyncio
from typing import Any

import pytest

from modelyard.adapters.mlflow.aliases import FollowedAliases, Rhythm
from modelyard.core.plan import Failure

INTERVAL = 0.2
AWAY = Failure("TrackingUnavailable", "HTTP 429")


class Registry:
    """Answers with what `version` says, and counts."""

    def __init__(self, **rhythm: float) -> None:
        self.version: Any = "1"
        self.reads = 0
        self.told: list[Any] = []
        self.seconds = 0.0
        settings = {"interval_seconds": INTERVAL, "closest_seconds": 0.02, "first_retry_seconds": 0.02, "jitter": 0.0}
        self.aliases = FollowedAliases(self._read, Rhythm(**(settings | rhythm)), self.told.append)

    async def _read(self, _: object) -> Any:
        self.reads += 1
        answer = self.version
        await asyncio.sleep(self.seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_200_objects_cost_one_reading_per_interval() -> None:
    registry = Registry()

    async def ask_often(first: float) -> None:
        await asyncio.sleep(first)
        for _ in range(4):
            assert await registry.aliases.ask("champion") == "1"
            await asyncio.sleep(INTERVAL)

    await asyncio.gather(*(ask_often(INTERVAL * number / 200) for number in range(200)))
    assert 4 <= registry.reads <= 6
    await registry.aliases.close()


async def test_those_who_ask_first_at_the_same_moment_share_one_reading() -> None:
    registry = Registry()
    registry.seconds = 0.05
    assert set(await asyncio.gather(*(registry.aliases.ask("champion") for _ in range(200)))) == {"1"}
    assert registry.reads == 1
    await registry.aliases.close()


async def test_a_move_is_told_within_the_interval_to_one_who_asked_in_the_middle_of_it() -> None:
    registry = Registry()
    await registry.aliases.ask("champion")
    await asyncio.sleep(INTERVAL / 2)
    await registry.aliases.ask("champion")
    registry.version = "2"
    await asyncio.sleep(INTERVAL * 0.75)
    assert registry.told == ["champion"]
    assert await registry.aliases.ask("champion") == "2"
    await registry.aliases.close()


async def test_what_did_not_move_is_not_told() -> None:
    registry = Registry()
    await registry.aliases.ask("champion")
    await asyncio.sleep(INTERVAL * 2.5)
    assert (registry.reads, registry.told) == (3, [])
    await registry.aliases.close()


async def test_an_alias_that_nobody_asks_for_any_more_is_forgotten() -> None:
    registry = Registry()
    await registry.aliases.ask("champion")
    await asyncio.sleep(INTERVAL * 4.5)
    reads = registry.reads
    await asyncio.sleep(INTERVAL * 2)
    assert (registry.reads, registry.aliases.aliases()) == (reads, ())


async def test_a_hint_shortens_the_wait() -> None:
    registry = Registry(interval_seconds=30.0)
    await registry.aliases.ask("champion")
    registry.version = "2"
    registry.aliases.look_again("champion")
    await asyncio.sleep(0.1)
    assert (registry.told, registry.reads) == (["champion"], 2)
    await registry.aliases.close()


async def test_a_flood_of_hints_is_one_reading_and_then_another() -> None:
    registry = Registry(interval_seconds=30.0, closest_seconds=0.1)
    await registry.aliases.ask("champion")
    for _ in range(250):
        registry.aliases.look_again("champion")
        await asyncio.sleep(0.001)
    assert registry.reads <= 5
    await registry.aliases.close()


async def test_a_hint_during_a_reading_has_it_read_once_more() -> None:
    registry = Registry(interval_seconds=30.0)
    registry.seconds = 0.05
    asking = asyncio.ensure_future(registry.aliases.ask("champion"))
    await asyncio.sleep(0.01)
    registry.version = "2"
    registry.aliases.look_again("champion")
    assert await asking == "1"
    await asyncio.sleep(0.2)
    assert await registry.aliases.ask("champion") == "2"
    await registry.aliases.close()


async def test_a_hint_about_an_alias_that_nobody_follows_reads_nothing() -> None:
    registry = Registry()
    registry.aliases.look_again("champion")
    await asyncio.sleep(0.05)
    assert registry.reads == 0


async def test_a_failure_is_shared_and_tried_again_ever_more_rarely() -> None:
    registry = Registry()
    registry.version = AWAY
    for _ in range(50):
        assert await registry.aliases.ask("champion") == AWAY
        await asyncio.sleep(0.01)
    assert 3 <= registry.reads <= 6
    assert registry.told == []
    registry.version = "1"
    await asyncio.sleep(0.4)
    assert registry.told == ["champion"]
    await registry.aliases.close()


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 15.0), (1, 1.0), (2, 2.0), (4, 8.0), (5, 16.0), (6, 30.0), (100_000, 30.0)]
)
def test_pauses(failures: int, seconds: float) -> None:
    assert Rhythm().pause(failures, fraction=0.0) == seconds


def test_a_pause_is_never_longer_than_the_interval_and_little_shorter() -> None:
    assert Rhythm().pause(0, fraction=1.0) == 13.5


async def test_a_bug_is_the_askers_and_the_next_one_reads_anew() -> None:
    registry = Registry()
    registry.version = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await registry.aliases.ask("champion")
    registry.version = "1"
    assert await registry.aliases.ask("champion") == "1"
    await registry.aliases.close()
