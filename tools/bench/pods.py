"""The pod that sends the requests, and what it has told."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from tools.demo.objects import ticks
from tools.demo.script_pod import ScriptPod
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import Kubectl

LIMIT_SECONDS = 3 * 3600
SETTLED_SECONDS = 3.0
_SCRIPTS = (CHECKOUT / "tools" / "bench" / "load.py", CHECKOUT / "tools" / "demo" / "trickle.py")


@dataclass(frozen=True)
class Count:
    """What one target has answered so far."""

    answers: Mapping[str, int]
    failures: int
    errors: Sequence[str]
    at: float
    """Unix seconds."""
    newest: str | None
    alone_seconds: float
    """How long only the newest version has answered."""
    slowest_seconds: float
    """The longest that a request took, its connection and the name's resolution included."""


class LoadPod:
    """One pod that runs load.py; the image needs Python."""

    def __init__(self, kubectl: Kubectl, namespace: str, image: str, name: str, request: Mapping[str, Any]) -> None:
        self._pod = ScriptPod(kubectl, namespace, name, image, _SCRIPTS, request, LIMIT_SECONDS)

    def start(self, command: str, options: Sequence[str], targets: Mapping[str, str]) -> None:
        """Starts it and waits until it runs; raises KubectlError."""
        named = (f"{name}={url}" for name, url in targets.items())
        self._pod.start(command, self._pod.request_file, *options, *named)

    def stop(self) -> None:
        """Ends it; raises KubectlError."""
        self._pod.stop()

    def lines(self, *options: str) -> list[dict[str, Any]]:
        """What it has told, oldest first; raises KubectlError."""
        return [parsed for line in self._pod.log(*options) if (parsed := _parsed(line)) is not None]

    def counts(self) -> dict[str, Count]:
        """The newest counts by target; raises KubectlError."""
        return dict(self._told("--tail=400"))

    def history(self, target: str) -> list[Count]:
        """All counts of one target, oldest first; raises KubectlError."""
        return [count for name, count in self._told() if name == target]

    def _told(self, *options: str) -> list[tuple[str, Count]]:
        told = [line for line in self.lines(*options) if line.get("event") == "counts"]
        names = [field.name for field in fields(Count)]
        return [(line["target"], Count(**{name: line[name] for name in names})) for line in told]

    def settle(self, target: str, version: str, limit_seconds: float) -> None:
        """Waits until this version has answered alone for a while: pods that go still answer for a moment.

        Raises:
            DemoError: it did not within the limit.
        """
        for _ in ticks(f"answers of version {version} alone by {target}", limit_seconds):
            count = self.counts().get(target)
            if count and count.newest == version and count.alone_seconds >= SETTLED_SECONDS:
                return

    def first_answer(self, target: str, version: str, since: float, limit_seconds: float) -> float:
        """When this version answered first at or after this time (both Unix seconds).

        Raises:
            DemoError: it did not within the limit.
        """
        for _ in ticks(f"an answer of version {version} by {target}", limit_seconds):
            # No more of the log than needed: to read it takes the processors that the pods start on.
            for line in self.lines(f"--since={math.ceil(time.time() - since) + 1}s"):
                is_meant = (line.get("event"), line.get("target"), line.get("version")) == ("version", target, version)
                if is_meant and line["at"] >= since:
                    return float(line["at"])
        raise AssertionError("ticks ends by raising")


def _parsed(line: str) -> dict[str, Any] | None:
    """A line of the pod's log, or None where it is none of its JSON."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
