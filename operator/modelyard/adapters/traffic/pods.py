"""Measures traffic from the model servers' own metrics: for clusters without a Prometheus."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from modelyard.adapters.traffic.asking import PodAsker
from modelyard.adapters.traffic.counters import Counts, Reading, increase, least_age, parse, quantile, together
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, PodAddress, Traffic

METRICS_PATH = "/prometheus"

_MOST_READINGS = 64
_FORGOTTEN_AFTER_WINDOWS = 4


@dataclass(frozen=True)
class _Unreadable:
    """Why a pod tells nothing."""

    message: str


class PodTraffic:
    """Reads each pod's counters when asked, and keeps a few readings of each, so that two make a window.

    What a pod counted before it was first asked for is not known to lie in any window: measuring begins there.
    """

    def __init__(
        self, session: aiohttp.ClientSession, pod_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._asker = PodAsker(session, pod_url)
        self._clock = clock
        self._readings: dict[str, list[Reading]] = {}
        self._forget_at: dict[str, float] = {}

    async def measure(self, question: MeasureTraffic) -> Traffic | Failure:
        """What the pods answered since the reading that is about one window old; a Failure when none can be read."""
        self._forget()
        told = await self._asker.ask_each(question.pods, self._read, _late)
        for uid, answer in told.items():
            if isinstance(answer, Reading):
                self._keep(uid, answer, question.window_seconds)
        unreadable = [answer for answer in told.values() if isinstance(answer, _Unreadable)]
        if unreadable and len(unreadable) == len(question.pods):
            return Failure("MetricsUnreachable", unreadable[0].message)
        return self._traffic(question, len(unreadable))

    def _keep(self, uid: str, reading: Reading, window_seconds: float) -> None:
        """Add a reading, and drop those that no window needs any more."""
        kept = [*self._readings.get(uid, []), reading][-_MOST_READINGS:]
        old_enough = [item for item in kept if reading.at - item.at >= least_age(window_seconds)]
        self._readings[uid] = kept[kept.index(old_enough[-1]) :] if old_enough else kept
        self._forget_at[uid] = reading.at + max(60.0, _FORGOTTEN_AFTER_WINDOWS * window_seconds)

    def _forget(self) -> None:
        """Pods that nobody asks for any more are gone."""
        now = self._clock()
        for uid in [uid for uid, at in self._forget_at.items() if at < now]:
            del self._forget_at[uid], self._readings[uid]

    def _traffic(self, question: MeasureTraffic, unread: int) -> Traffic:
        """What all pods answered, over the longest of their windows."""
        series = [self._readings[pod.uid] for pod in question.pods if pod.uid in self._readings]
        counts = together(increase(readings) for readings in series)
        return Traffic(
            requests=round(counts.requests),
            errors=round(counts.errors),
            latency_p95_seconds=quantile(0.95, counts.buckets),
            window_seconds=max((readings[-1].at - readings[0].at for readings in series), default=0.0),
            unread=unread,
        )

    async def _read(self, pod: PodAddress) -> Reading | _Unreadable:
        """One pod's counters now."""
        url = self._asker.url(pod, METRICS_PATH)
        try:
            status, answered = await self._asker.request(url)
            if status != 200:
                return _unreadable(url, f"it answered {status}")
            counts: Counts = await asyncio.to_thread(parse, answered.decode(errors="replace"))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            return _unreadable(url, str(error) or type(error).__name__)
        return Reading(self._clock(), counts)


def _unreadable(url: str, said: str) -> _Unreadable:
    return _Unreadable(f"the operator cannot read {url}: {said}; check network policies")


def _late(pod: PodAddress, limit: str) -> _Unreadable:
    return _Unreadable(f"pod {pod.name or pod.uid} did not tell its metrics within {limit}")
