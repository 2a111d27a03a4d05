"""Asks model servers for fingerprints of what they answered, and compares those of two versions."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from modelyard.adapters.traffic.asking import PodAsker
from modelyard.adapters.traffic.counters import least_age
from modelyard.adapters.traffic.joining import Answer, Joiner
from modelyard.core.disagreement import CompareAnswers, Compared
from modelyard.core.plan import Failure
from modelyard.core.traffic import PodAddress

ANSWERS_PATH = "/modelyard/answers"
VERSION = 1
"""Of what model servers tell."""

_MOST_ANSWERS = 8192
_MOST_READS = 64
_KEPT_WINDOWS = 4
"""For how many windows servers keep on listening, and what was read is kept."""
_CURE = "needs the model server of this release, or an image that is built from it; else leave the metric out"


@dataclass(frozen=True)
class _Told:
    """What one pod tells."""

    epoch: str
    next: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class _Read:
    """What one look at all pods found."""

    at: float
    pairs: int
    differing: int
    told: int


@dataclass
class _Comparison:
    """Two versions that are compared: how far each pod was read, and what waits for its counterpart."""

    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    joiner: Joiner = field(default_factory=Joiner)
    reads: list[_Read] = field(default_factory=list)
    began: float = 0.0
    forget_at: float = 0.0


class PodAnswers:
    """Reads what pods tell of their answers since the look before; of what was before the first it knows nothing."""

    def __init__(
        self, session: aiohttp.ClientSession, pod_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._asker = PodAsker(session, pod_url)
        self._clock = clock
        self._comparisons: dict[tuple[str, str, float | None], _Comparison] = {}

    async def compare(self, question: CompareAnswers) -> Compared | Failure:
        """How the two versions answered the same requests in about the last window."""
        comparison = self._comparison(question)
        stable, canary = await self._ask_all(comparison, question)
        # What some told is kept, though others did not: servers tell it once.
        read = await asyncio.to_thread(self._join, comparison, stable, canary)
        comparison.reads = [*comparison.reads, read][-_MOST_READS:]
        for told in (stable, canary):
            failures = [answer for answer in told.values() if isinstance(answer, Failure)]
            if failures and len(failures) == len(told):
                return failures[0]
        unread = sum(isinstance(answer, Failure) for answer in canary.values())
        return _within(comparison, question.window_seconds, read.at, unread)

    def _comparison(self, question: CompareAnswers) -> _Comparison:
        """What is known of these two versions; those that nobody asks about any more are forgotten."""
        now = self._clock()
        for identity in [key for key, known in self._comparisons.items() if known.forget_at < now]:
            del self._comparisons[identity]
        identity = (question.key, question.version, question.tolerance)
        found = self._comparisons.setdefault(identity, _Comparison(began=now))
        found.forget_at = now + max(60.0, _KEPT_WINDOWS * question.window_seconds)
        return found

    async def _ask_all(
        self, comparison: _Comparison, question: CompareAnswers
    ) -> tuple[dict[str, _Told | Failure], dict[str, _Told | Failure]]:
        """What each pod tells, by its UID: of the stable version, and of the new one. Asked side by side."""
        ask = lambda pod: self._ask(pod, comparison, question)  # noqa: E731
        told = await self._asker.ask_each([*question.stable, *question.canary], ask, _late)
        return tuple({pod.uid: told[pod.uid] for pod in side} for side in (question.stable, question.canary))  # type: ignore[return-value]

    def _join(
        self, comparison: _Comparison, stable: dict[str, _Told | Failure], canary: dict[str, _Told | Failure]
    ) -> _Read:
        """Remember how far each pod was read, and bring its answers together."""
        for uid, told in (stable | canary).items():
            if isinstance(told, _Told):
                comparison.places[uid] = (told.epoch, told.next)
        theirs = list(_answers(canary.values()))
        joined = comparison.joiner.join(_answers(stable.values()), theirs)
        return _Read(self._clock(), joined.pairs, joined.differing, len(theirs))

    async def _ask(self, pod: PodAddress, comparison: _Comparison, question: CompareAnswers) -> _Told | Failure:
        """What one pod answered since it was last asked."""
        url = self._asker.url(pod, ANSWERS_PATH)
        asked: dict[str, Any] = {"seconds": max(60.0, _KEPT_WINDOWS * question.window_seconds)}
        asked |= {"tolerance": question.tolerance} if question.tolerance is not None else {}
        if place := comparison.places.get(pod.uid):
            asked |= {"epoch": place[0], "since": place[1]}
        try:
            status, answered = await self._asker.request(url, json=asked, key=question.key)
            if status != 200:
                return _refused(pod, url, status)
            return await asyncio.to_thread(_told, answered)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            said = str(error) or type(error).__name__
            return Failure("AnswersUnreachable", f"the operator cannot read {url}: {said}; check network policies")
        except (ValueError, RecursionError) as error:
            return Failure("InvalidResponse", f"what answered at {url} is no model server's word: {error}")


def _late(pod: PodAddress, limit: str) -> Failure:
    """Of a pod that did not tell in time."""
    return Failure("AnswersUnreachable", f"pod {pod.name or pod.uid} told nothing within {limit}")


def _answers(told: Iterable[_Told | Failure]) -> Sequence[Answer]:
    """All that several pods told."""
    return [answer for it in told if isinstance(it, _Told) for answer in it.answers]


def _within(comparison: _Comparison, window_seconds: float, now: float, unread: int) -> Compared:
    """What the reads of one window found; a look in between does not shorten it."""
    reads = [read for read in comparison.reads if now - read.at < least_age(window_seconds)]
    before = [read.at for read in comparison.reads if read not in reads]
    since = before[-1] if before else comparison.began
    return Compared(
        pairs=sum(read.pairs for read in reads),
        differing=sum(read.differing for read in reads),
        window_seconds=now - since,
        told=sum(read.told for read in reads),
        unread=unread,
    )


def _refused(pod: PodAddress, url: str, status: int) -> Failure:
    """A server that does not tell."""
    name = pod.name or pod.uid
    if status in {401, 403}:
        why = f"pod {name} does not know the key: it was started otherwise than spec says"
        return Failure("AnswersRefused", f"{why}; delete it, and another one comes")
    said = f"pod {name} does not tell what it predicted (POST {url} answered {status})"
    return Failure("AnswersUnknown", f"{said}: Disagreement {_CURE}", is_transient=False)


def _told(answered: bytes) -> _Told:
    """What one pod says.

    Raises:
        ValueError: it is not of the form that is expected.
    """
    said = json.loads(answered)
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise ValueError(f"it does not speak version {VERSION}; Disagreement {_CURE}")
    epoch, following, answers = said.get("epoch"), said.get("next"), said.get("answers")
    if not isinstance(epoch, str) or len(epoch) > 64:
        raise ValueError("its epoch is no short text")
    if isinstance(following, bool) or not isinstance(following, int) or not 0 <= following < 1 << 62:
        raise ValueError("its next is no count")
    if not isinstance(answers, list) or len(answers) > _MOST_ANSWERS:
        raise ValueError(f"its answers are no list of at most {_MOST_ANSWERS}")
    return _Told(epoch, following, tuple(Answer.of(item) for item in answers))
