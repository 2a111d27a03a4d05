"""Measures traffic from the model servers' own metrics: for clusters without a Prometheus."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from modelyard.adapters.traffic import body
from modelyard.adapters.traffic.counters import Counts, Reading, increase, parse, quantile, together
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, PodAddress, Traffic

METRICS_PORT = 6000
METRICS_PATH = "/prometheus"

_TIMEOUT = aiohttp.ClientTimeout(total=2)
_MOST_SECONDS = 5.0
"""For all pods of one question."""
_AT_ONCE = 16
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
        self._session = session
        self._pod_url = pod_url
        self._clock = clock
        self._readings: dict[str, list[Reading]] = {}
        self._forget_at: dict[str, float] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def measure(self, question: MeasureTraffic) -> Traffic | Failure:
        """What the pods answered since the reading that is about one window old; a Failure when none can be read."""
        self._forget()
        tasks = {asyncio.ensure_future(self._read(pod)): pod for pod in question.pods}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_MOST_SECONDS)
            for task in late:
                task.cancel()
        unreadable = [said for task in tasks if (said := self._outcome(task, tasks[task], question)) is not None]
        if unreadable and len(unreadable) == len(question.pods):
            return Failure("MetricsUnreachable", unreadable[0].message)
        return self._traffic(question, len(unreadable))

    def _outcome(
        self, task: "asyncio.Future[Reading | _Unreadable]", pod: PodAddress, question: MeasureTraffic
    ) -> _Unreadable | None:
        """Keep what was read; tell what was not."""
        if not task.done() or task.cancelled():
            return _Unreadable(f"pod {pod.name or pod.uid} did not tell its metrics within {_MOST_SECONDS:g} s")
        answer = task.result()
        if isinstance(answer, _Unreadable):
            return answer
        self._keep(pod.uid, answer, question.window_seconds)
        return None

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
        url = url_of(self._pod_url, pod, METRICS_PORT) + METRICS_PATH
        try:
            async with self._slots:
                text = await self._get(url)
            counts: Counts = await asyncio.to_thread(parse, text)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            said = str(error) or type(error).__name__
            return _Unreadable(f"the operator cannot read {url}: {said}; check network policies")
        return Reading(self._clock(), counts)

    async def _get(self, url: str) -> str:
        """The body of a small answer.

        Raises:
            ValueError: it is an error or too large.
        """
        async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"it answered {response.status}")
            return (await body.read(response)).decode(errors="replace")


def url_of(template: str, pod: PodAddress, port: int) -> str:
    """Where a port of a pod is reached."""
    return template.format(ip=f"[{pod.ip}]" if ":" in pod.ip else pod.ip, port=port)


def least_age(window_seconds: float) -> float:
    """How old a reading has to be to begin a window: checks come a little early and late."""
    return 0.8 * window_seconds
