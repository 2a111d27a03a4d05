"""Predictions of two versions, brought together from what their pods tell."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from modelyard.adapters.traffic import asking
from modelyard.adapters.traffic.answers import PodAnswers
from modelyard.adapters.traffic.joining import Answer, Joiner
from modelyard.core.disagreement import CompareAnswers, Compared
from modelyard.core.plan import Failure
from modelyard.core.traffic import PodAddress

OLD, OLDER, NEW, NEWER = (PodAddress(f"uid-{number}", f"10.0.0.{number}", "team", f"p{number}") for number in range(4))


def answer(request: str, *rows: tuple[int, ...], form: str = "f") -> list[Any]:
    """What is told of an answer: of each value the cell on both grids, half a step apart."""
    cells = b"".join(struct.pack("<HH", value // 2, (value + 1) // 2) for row in rows for value in row)
    return [request, form, len(rows), base64.b64encode(cells).decode()]


def told(*answers: Any, following: int = 1, **fields: Any) -> dict[str, Any]:
    return {"version": 1, "epoch": "e", "next": following, "lost": 0, "answers": list(answers)} | fields


@dataclass
class Pods:
    """Model servers on loopback, told apart by the IP in the path; the time is the test's."""

    source: PodAnswers
    says: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any, str | None]] = field(default_factory=list)
    now: float = 1000.0

    async def compare(self, after: float = 0, window: float = 15, **fields: Any) -> Compared | Failure:
        self.now += after
        sides = {"stable": (OLD,), "canary": (NEW,)} | fields
        return await self.source.compare(CompareAnswers(version="2", key="k", window_seconds=window, **sides))

    def say(self, pod: PodAddress, says: Any) -> None:
        self.says[pod.ip] = says


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    async def tell(request: web.Request) -> web.StreamResponse:
        ip = request.match_info["ip"]
        playing.asked.append((ip, await request.json(), request.headers.get("Authorization")))
        says = playing.says.get(ip, told())
        if says == 302:
            raise web.HTTPFound("/10.0.0.1/modelyard/answers")
        if says == 0:
            await asyncio.sleep(60)
        if isinstance(says, int):
            return web.Response(status=says)
        return web.json_response(says) if isinstance(says, dict | list) else web.Response(text=says)

    app = web.Application()
    app.router.add_post("/{ip}/modelyard/answers", tell)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as session:
        template = f"http://127.0.0.1:{runner.addresses[0][1]}/{{ip}}"
        playing = Pods(PodAnswers(session, template, lambda: playing.now))
        yield playing
    await runner.cleanup()


async def test_the_first_look_has_pods_listen_and_the_next_ones_ask_for_what_came_since(pods: Pods) -> None:
    assert await pods.compare(tolerance=0.5) == Compared(0, 0, 0)
    pods.say(OLD, told(following=7))
    await pods.compare(after=15, tolerance=0.5)
    await pods.compare(after=15, tolerance=0.5)
    mine = [(asked, key) for ip, asked, key in pods.asked if ip == OLD.ip]
    first = {"seconds": 60, "tolerance": 0.5}
    assert [asked for asked, _ in mine] == [
        first,
        first | {"epoch": "e", "since": 1},
        first | {"epoch": "e", "since": 7},
    ]
    assert {key for _, key in mine} == {"Bearer k"}


async def test_answers_to_the_same_request_make_a_pair_and_all_others_are_left_out(pods: Pods) -> None:
    await pods.compare()
    pods.say(OLD, told(answer("a", (1,)), answer("b", (1,)), answer("c", (1,))))
    pods.say(NEW, told(answer("c", (9,)), answer("a", (1,)), answer("z", (1,))))
    assert await pods.compare(after=15) == Compared(2, 1, 15, told=3)


async def test_what_one_pod_tells_a_look_later_still_finds_its_counterpart(pods: Pods) -> None:
    await pods.compare()
    pods.say(OLD, told(answer("a", (1,))))
    pods.say(NEW, told(answer("b", (1,))))
    assert await pods.compare(after=15) == Compared(0, 0, 15, told=1)
    pods.say(OLD, told(answer("b", (2,))))
    pods.say(NEW, told(answer("a", (9,))))
    assert await pods.compare(after=15) == Compared(2, 1, 15, told=1)


async def test_pods_of_a_version_are_one(pods: Pods) -> None:
    both = {"stable": (OLD, OLDER), "canary": (NEW, NEWER)}
    await pods.compare(**both)
    pods.say(OLD, told(answer("a", (1,))))
    pods.say(OLDER, told(answer("b", (1,))))
    pods.say(NEW, told(answer("b", (1,))))
    pods.say(NEWER, told(answer("a", (1,))))
    assert await pods.compare(after=15, **both) == Compared(2, 0, 15, told=2)


async def test_a_look_in_between_does_not_shorten_the_window_and_an_old_one_is_left_out(pods: Pods) -> None:
    await pods.compare()
    for pod in (OLD, NEW):
        pods.say(pod, told(answer("a", (1,))))
    assert await pods.compare(after=15) == Compared(1, 0, 15, told=1)
    assert await pods.compare(after=1) == Compared(2, 0, 16, told=2)
    assert await pods.compare(after=15) == Compared(1, 0, 15, told=1)


async def test_another_version_has_nothing_to_do_with_what_was_told_of_the_one_before(pods: Pods) -> None:
    await pods.compare()
    pods.say(OLD, told(answer("a", (1,))))
    await pods.compare(after=15)
    pods.say(OLD, told())
    pods.say(NEW, told(answer("a", (1,))))
    other = CompareAnswers((OLD,), (NEW,), "3", "k", 15)
    assert await pods.source.compare(other) == Compared(0, 0, 0, told=1)


async def test_what_nobody_asks_about_any_more_is_forgotten(pods: Pods) -> None:
    await pods.compare()
    pods.now += 61
    await pods.compare()
    assert len(pods.source._comparisons) == 1
    assert "since" not in pods.asked[-1][1]


async def test_a_pod_of_the_new_version_that_tells_nothing_is_counted(pods: Pods) -> None:
    pods.say(NEWER, 503)
    found = await pods.compare(canary=(NEW, NEWER))
    assert isinstance(found, Compared)
    assert found.unread == 1
    pods.say(OLDER, 503)
    found = await pods.compare(stable=(OLD, OLDER))
    assert isinstance(found, Compared)
    assert found.unread == 0


async def test_no_pods_are_no_pairs(pods: Pods) -> None:
    assert await pods.compare(stable=(), canary=()) == Compared(0, 0, 0)


@pytest.mark.parametrize(
    ("says", "reason", "words"),
    [
        (404, "AnswersUnknown", "pod p2 does not tell what it predicted"),
        (405, "AnswersUnknown", "needs the model server of this release"),
        (503, "AnswersUnknown", "answered 503"),
        (302, "AnswersUnknown", "answered 302"),
        (401, "AnswersRefused", "does not know the key"),
        (told(version=2), "InvalidResponse", "does not speak version 1"),
        ("{", "InvalidResponse", "10.0.0.2/modelyard/answers"),
        ("[" * 100000, "InvalidResponse", "no model server's word"),
        ("x" * (2 << 20), "InvalidResponse", "more than"),
        (told(epoch=7), "InvalidResponse", "epoch"),
        (told(following=-1), "InvalidResponse", "next"),
        (told(following=True), "InvalidResponse", "next"),
        (told(answers={}), "InvalidResponse", "answers"),
        (told(answers=[answer("a", (1,))] * 9000), "InvalidResponse", "at most 8192"),
        (told("a"), "InvalidResponse", "four parts"),
        (told(["a", "f", 1]), "InvalidResponse", "four parts"),
        (told(["a", None, 1, ""]), "InvalidResponse", "are text"),
        (told(["a", "f", 1.5, ""]), "InvalidResponse", "rows"),
        (told(["a", "f", 1 << 40, ""]), "InvalidResponse", "rows"),
        (told(["a", "f", 1, "%%"]), "InvalidResponse", "no model server's word"),
        (told(["a", "f", 1, "AAA="]), "InvalidResponse", "one length"),
        (told(["a", "f", 2, "AAAAAA=="]), "InvalidResponse", "one length"),
    ],
)
async def test_what_is_not_told_is_a_failure_that_names_the_pod_and_the_cure(
    pods: Pods, says: Any, reason: str, words: str
) -> None:
    pods.say(NEW, says)
    found = await pods.compare()
    assert isinstance(found, Failure)
    assert found.reason == reason
    assert words in found.message


async def test_what_one_version_tells_while_the_other_cannot_be_read_is_kept(pods: Pods) -> None:
    await pods.compare()
    pods.say(OLD, told(answer("a", (1,)), following=2))
    pods.say(NEW, 503)
    assert isinstance(await pods.compare(after=15), Failure)
    pods.say(OLD, told(following=2))
    pods.say(NEW, told(answer("a", (1,))))
    assert await pods.compare(after=15) == Compared(1, 0, 15, told=1)
    assert [asked.get("since") for ip, asked, _ in pods.asked if ip == OLD.ip] == [None, 1, 2]


async def test_a_stable_version_that_does_not_tell_is_no_agreement(pods: Pods) -> None:
    pods.say(OLD, 404)
    found = await pods.compare()
    assert isinstance(found, Failure)
    assert "pod p0 does not tell" in found.message


async def test_a_pod_that_hangs_holds_nobody_up(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_SECONDS", 0.2)
    pods.say(NEW, 0)
    found = await pods.compare()
    assert isinstance(found, Failure)
    assert "pod p2 told nothing within 0.2 s" in found.message


async def test_an_address_where_nobody_listens_is_told_with_a_cure() -> None:
    async with aiohttp.ClientSession() as session:
        source = PodAnswers(session, "http://127.0.0.1:9/{ip}")
        found = await source.compare(CompareAnswers((), (NEW,), "2", "k", 15))
    assert isinstance(found, Failure)
    assert "check network policies" in found.message


def joined(stable: list[list[Any]], canary: list[list[Any]]) -> tuple[int, int]:
    found = Joiner().join([Answer.of(item) for item in stable], [Answer.of(item) for item in canary])
    return found.differing, found.pairs


@pytest.mark.parametrize(
    ("stable", "canary", "found"),
    [
        ([answer("a", (4,), (8,))], [answer("a", (4,), (9,))], (0, 2)),
        ([answer("a", (4,), (8,))], [answer("a", (4,), (10,))], (1, 2)),
        ([answer("a", (4, 8), (6, 6))], [answer("a", (4, 10), (6, 6))], (1, 2)),
        ([answer("a", (4,))], [answer("a", (4,), form="g")], (1, 1)),
        ([answer("a", (4,), (5,))], [answer("a", (4,))], (2, 2)),
        ([answer("a", (4,), (5,))], [answer("a", form="")], (2, 2)),
        ([answer("a", form="")], [answer("a", (4,))], (0, 0)),
        ([answer("a", form="")], [answer("a", form="")], (0, 0)),
        ([answer("a", ())], [answer("a", ())], (0, 1)),
        ([answer("a", (4,))] * 3, [answer("a", (4,))] * 2, (0, 2)),
        ([answer("a", (4,))], [answer("a", (4,))] * 3, (0, 1)),
        ([answer("a", (4,)), answer("a", (9,))], [answer("a", (4,)), answer("a", (9,))], (0, 2)),
    ],
)
def test_pairs_are_counted_by_prediction(
    stable: list[list[Any]], canary: list[list[Any]], found: tuple[int, int]
) -> None:
    assert joined(stable, canary) == found


def test_what_never_finds_a_counterpart_is_forgotten_the_oldest_first() -> None:
    joiner = Joiner()
    joiner.join([Answer.of(answer(str(number), (1,))) for number in range(9000)], [])
    late = joiner.join([], [Answer.of(answer(str(number), (1,))) for number in range(9000)])
    assert late.pairs == 8192


def test_what_waits_takes_a_bounded_part_of_memory() -> None:
    joiner = Joiner()
    joiner.join([Answer(str(number), "f", 1, bytes(8192)) for number in range(1000)], [])
    assert 200 < joiner.join([], [Answer(str(number), "f", 1, bytes(8192)) for number in range(1000)]).pairs < 257
    joiner.join([Answer("x" * (3 << 20), "f", 1, b"")], [])
    assert joiner.join([Answer("a", "f", 1, b"")], [Answer("a", "f", 1, b"")]).pairs == 1
