"""A clock that moves when told to, and objects to hold in a cache."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from modelyard.api import names
from modelyard.core.plan import Manifest


@dataclass
class FakeTimer:
    at: float
    call: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def when(self) -> float:
        return self.at


@dataclass
class FakeClock:
    now: float = 1000.0
    timers: list[FakeTimer] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[Any], None], key: Any, /) -> FakeTimer:
        timer = FakeTimer(when, lambda: callback(key))
        self.timers.append(timer)
        return timer

    def pending(self) -> list[float]:
        return sorted(timer.at for timer in self.timers if not timer.is_cancelled)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.pending() and self.pending()[0] <= end:
            due = next(timer for timer in self.timers if not timer.is_cancelled and timer.at == self.pending()[0])
            self.timers.remove(due)
            self.now = max(self.now, due.at)
            due.call()
        self.now = end


def make_object(name: str = "job", *, version: int = 1, uid: str = "uid-1", namespace: str = "team") -> Manifest:
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


def owned(manifest: Manifest, kind: str, name: str) -> Manifest:
    labels = {names.LABEL_OWNER_KIND: kind, names.LABEL_OWNER_NAME: name}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
