"""Follows a table of mishaps on a real cluster: when the cluster could know, when it was said, when it got on."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modelyard.core import pod_state
from support.mishaps import Mishap
from support.yard import Yard

_SPACING_SECONDS = 1.5
"""Between two that are applied: people do not apply thirty wrong objects in one second."""
_SOON_SECONDS = 10.0
_AFTER_A_WORD_SECONDS = 3.0
"""Where a kubelet takes longer than that to say what is wrong: after its word."""
_TOLD_BY = frozenset({"FailedAttachVolume", "FailedCreate", "FailedMount"})
_ALL_KINDS = "trainingjobs,modeldeployments,pods,events"


@dataclass
class Course:
    """What became of one of them; times are seconds of this machine's clock."""

    mishap: Mishap
    applied: float = 0.0
    known: float | None = None
    """When the cluster's own statement was there."""
    told: float | None = None
    recovered: float | None = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is awaited."""
        return self.told is not None and (self.recovered is not None or not self.mishap.is_mended)

    @property
    def is_in_time(self) -> bool:
        """Whether it was said within ten seconds, or at once when the cluster itself needed longer."""
        if self.told is None:
            return False
        after_word = (self.known or self.applied) + _AFTER_A_WORD_SECONDS
        return self.told <= max(self.applied + _SOON_SECONDS, after_word)

    def __str__(self) -> str:
        moments = {"cluster": self.known, "told": self.told, "got on": self.recovered}
        columns = [f"{name} {at - self.applied:5.1f} s" if at else f"{name}   -    " for name, at in moments.items()]
        return f"{self.mishap.name:16} {'  '.join(columns)}  {self.message[:160]}"


class Table:
    """Applies them one after the other, mends each once it was told, and waits until all are over."""

    def __init__(self, yard: Yard, mishaps: Iterable[Mishap]) -> None:
        self._yard = yard
        self.courses = [Course(mishap) for mishap in mishaps]

    def run(self, seconds: float) -> None:
        """Until all are over, or for so long."""
        before = [manifest for course in self.courses for manifest in course.mishap.before]
        if before:
            self._yard.apply(before)
        waiting, end, due = list(self.courses), time.time() + seconds, 0.0
        while time.time() < end and (waiting or not all(course.is_over for course in self.courses)):
            if waiting and time.time() >= due:
                self._apply(waiting.pop(0))
                due = time.time() + _SPACING_SECONDS
            self._look()

    def _apply(self, course: Course) -> None:
        course.applied = time.time()
        self._yard.apply(course.mishap.manifest)

    def _look(self) -> None:
        """One reading of the namespace for all of them."""
        command = ["get", _ALL_KINDS, "--show-managed-fields", "--output", "json"]
        items = json.loads(self._yard.kubectl(*command))["items"]
        now = time.time()
        for course in self.courses:
            if course.applied and not course.is_over:
                self._follow(course, items, now)

    def _follow(self, course: Course, items: list[dict[str, Any]], now: float) -> None:
        mishap = course.mishap
        found = next((item for item in items if _is(item, mishap.kind, mishap.name)), {})
        stated = {item["type"]: item for item in (found.get("status") or {}).get("conditions") or []}
        condition = stated.get("Ready" if mishap.kind == "ModelDeployment" else "Complete") or {}
        course.known = course.known or _known_at(course, items, now)
        if course.told is None:
            course.message = condition.get("message", "")
            if all(part in course.message for part in mishap.said):
                course.told = min(now, _written_by(found))
                self._mend(course, found)
        elif course.recovered is None and mishap.is_mended and _has_got_on(mishap, condition, items):
            course.recovered = now
            # Eight servers that start at once would be what the others wait for.
            self._yard.kubectl("delete", mishap.kind, mishap.name, "--wait=false")

    def _mend(self, course: Course, found: dict[str, Any]) -> None:
        mishap = course.mishap
        attempts = (found.get("status") or {}).get("attempts") or [{}]
        for command in mishap.commands:
            self._yard.kubectl(*(attempts[0]["job"] if word == "{job}" else word for word in command))
        if mishap.mended_by:
            self._yard.apply(list(mishap.mended_by))
        if mishap.patch:
            change = json.dumps({"spec": mishap.patch})
            self._yard.kubectl("patch", mishap.kind, mishap.name, "--type=merge", "--patch", change)


def _written_by(found: dict[str, Any]) -> float:
    """When the status was there at the latest, by the API server's whole seconds.

    Readings are seconds apart while other objects are applied and mended, and the status was there before.
    """
    managers = found["metadata"]["managedFields"]
    written = max(item["time"] for item in managers if item.get("subresource") == "status")
    return datetime.fromisoformat(written).timestamp() + 1


def _is(item: dict[str, Any], kind: str, name: str) -> bool:
    return (item["kind"], item["metadata"]["name"]) == (kind, name)


def _pods(name: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods of an object."""
    label = "modelyard.io/owner-name"
    return [item for item in items if item["kind"] == "Pod" and item["metadata"].get("labels", {}).get(label) == name]


def _known_at(course: Course, items: list[dict[str, Any]], now: float) -> float | None:
    """When the cluster itself said it: a pod's status, as it is seen here, or an Event by its own time."""
    pods = _pods(course.mishap.name, items)
    if any(pod_state.trouble(pod) or pod_state.is_over(pod) for pod in pods):
        return now
    told = (item for item in items if item["kind"] == "Event" and item.get("reason") in _TOLD_BY)
    ours = (item for item in told if item["involvedObject"]["name"].startswith(f"{course.mishap.name}-"))
    moments = (item.get("firstTimestamp") or item["metadata"]["creationTimestamp"] for item in ours)
    first = min(moments, default=None)
    return datetime.fromisoformat(first).astimezone(UTC).timestamp() if first else None


def _has_got_on(mishap: Mishap, condition: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    """Whether a training succeeded; of a server, whether nothing is said of it any more and its own container runs."""
    if mishap.kind == "TrainingJob":
        return bool(condition.get("status") == "True")
    is_told = any(part in condition.get("message", "") for part in mishap.said)
    return not is_told and any(pod_state.is_running(pod, "model") for pod in _pods(mishap.name, items))
