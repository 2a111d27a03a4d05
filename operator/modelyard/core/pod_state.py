"""What a pod's status says, in the words of our conditions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.core.conditions import last_words, shorten

_IMAGE_REASONS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"}
)
_CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_NEVER_STARTED = frozenset({"ContainerCannotRun", "StartError"})
"""Reasons of a container's end that mean that its command could not be run at all."""
_OUT_OF_MEMORY = "OOMKilled"
_WORDS_LIMIT = 600
"""Characters of a termination message that are passed on."""


@dataclass(frozen=True)
class Trouble:
    """Why a pod does not get on: a reason for a condition and what is known beyond it."""

    reason: str
    message: str


@dataclass(frozen=True)
class Ending:
    """How a pod ended."""

    reason: str
    """Succeeded, Error, OOMKilled, ConfigError, Evicted, Preempted, NodeLost … (never empty)."""
    exit_code: int | None
    message: str
    finished_at: str | None
    container: str | None = None
    """Which container failed, where it was not the one that was asked about."""


def phase(pod: Mapping[str, Any]) -> str:
    """Pending, Running, Succeeded, Failed or Unknown."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def node(pod: Mapping[str, Any]) -> str | None:
    """The node's name once it is scheduled."""
    return (pod.get("spec") or {}).get("nodeName")


def image_id(pod: Mapping[str, Any], container: str) -> str | None:
    """The image that this container runs or ran, by its digest, once the node told it."""
    return str(_status_of(pod, container).get("imageID") or "") or None


def is_over(pod: Mapping[str, Any]) -> bool:
    """Whether none of its containers will run again."""
    return phase(pod) in {"Succeeded", "Failed"}


def is_started(pod: Mapping[str, Any], container: str) -> bool:
    """Whether this container runs or ran."""
    state = _status_of(pod, container).get("state") or {}
    return "running" in state or "terminated" in state


def is_running(pod: Mapping[str, Any], container: str) -> bool:
    """Whether this container runs now."""
    return "running" in (_status_of(pod, container).get("state") or {})


def has_begun(pod: Mapping[str, Any]) -> bool:
    """Whether any of its containers ever ran: its volumes are there then."""
    items = (item for _, item in _all_statuses(pod.get("status") or {}))
    states = (item.get(field) or {} for item in items for field in ("state", "lastState"))
    return any("running" in state or "terminated" in state for state in states)


def is_judged_by_a_scheduler(pod: Mapping[str, Any]) -> bool:
    """Whether a scheduler said where it goes, or why it goes nowhere."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(condition.get("type") == "PodScheduled" for condition in conditions)


def still_running(pod: Mapping[str, Any]) -> list[str]:
    """Its containers that keep it from being over; sidecars among the init containers are ended by the kubelet."""
    items = _statuses(pod.get("status") or {}, "containerStatuses")
    return [name for name, item in items if _terminated(item) is None]


def terminated(pod: Mapping[str, Any], container: str) -> Mapping[str, Any] | None:
    """The end of this container, if it ended."""
    return _terminated(_status_of(pod, container))


def result(pod: Mapping[str, Any], container: str) -> dict[str, Any]:
    """What a container of ours that did its work wrote as its termination message; empty where it did not."""
    end = terminated(pod, container) or {}
    return (_as_object(end.get("message")) or {}) if end.get("exitCode") == 0 else {}


def trouble(pod: Mapping[str, Any]) -> Trouble | None:
    """Why the pod does not get on, or None when it does, as far as it says."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = "SchedulingGated" if condition.get("reason") == "SchedulingGated" else "Unschedulable"
            return Trouble(reason, shorten(condition.get("message") or "no node takes the pod"))
    for name, item in _statuses(status, "initContainerStatuses"):
        is_done = (_terminated(item) or {}).get("exitCode") == 0
        if not is_done and (found := _container_trouble(name, item)):
            return found
    found_later = (_container_trouble(name, item) for name, item in _statuses(status, "containerStatuses"))
    return next((found for found in found_later if found), None)


def said_by(pod: Mapping[str, Any], container: str) -> Trouble | None:
    """What a container of ours told when it ended."""
    return _said((terminated(pod, container) or {}).get("message"))


def ending(pod: Mapping[str, Any], container: str) -> Ending:
    """How a pod that is over ended, judged by this container if it failed, else by the first that did."""
    status = pod.get("status") or {}
    own = _terminated(_status_of(pod, container)) or {}
    if phase(pod) == "Succeeded":
        return Ending("Succeeded", own.get("exitCode", 0), "", own.get("finishedAt"))
    disrupted = disruption(pod)
    if disrupted:
        return Ending(disrupted, own.get("exitCode"), shorten(status.get("message") or ""), own.get("finishedAt"))
    if own.get("exitCode"):
        return _ending_of_its_own(own, container)
    return _ending_of_another(status)


def _ending_of_its_own(own: Mapping[str, Any], container: str) -> Ending:
    """How a pod ended whose main container failed."""
    if own.get("reason") == _OUT_OF_MEMORY:
        return Ending(_OUT_OF_MEMORY, own["exitCode"], _memory_cure(container), own.get("finishedAt"))
    reason = "ConfigError" if own.get("reason") in _NEVER_STARTED else "Error"
    return Ending(reason, own["exitCode"], _words(own.get("message")), own.get("finishedAt"))


def _ending_of_another(status: Mapping[str, Any]) -> Ending:
    """How a pod ended whose main container did not fail: a helper did, or the kubelet never let it begin."""
    for name, item in _all_statuses(status):
        end = _terminated(item) or {}
        if end.get("exitCode"):
            said = _said(end.get("message"))
            message = shorten(f"container {name}: {_words(end.get('message'))}".rstrip(": "))
            if end.get("reason") == _OUT_OF_MEMORY:
                return Ending(_OUT_OF_MEMORY, end["exitCode"], _memory_cure(name), end.get("finishedAt"), name)
            return Ending(said.reason if said else "Error", end["exitCode"], message, end.get("finishedAt"), name)
    return Ending(_word(status.get("reason")) or "Error", None, shorten(status.get("message") or ""), None)


def disruption(pod: Mapping[str, Any]) -> str | None:
    """Which of the cluster's reasons ended or ends the pod, if it was not the code's own doing."""
    status = pod.get("status") or {}
    if status.get("reason") in {"Evicted", "NodeLost", "Preempted", "Preempting"}:
        return {"Preempting": "Preempted"}.get(str(status["reason"]), str(status["reason"]))
    for condition in status.get("conditions") or []:
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            return {
                "PreemptionByScheduler": "Preempted",
                "TerminationByKubelet": "Evicted",
                "EvictionByEvictionAPI": "Evicted",
                "DeletionByTaintManager": "NodeLost",
                "DeletionByPodGC": "NodeLost",
            }.get(str(condition.get("reason")), "Evicted")
    return None


def _container_trouble(name: str, item: Mapping[str, Any]) -> Trouble | None:
    """Why one container does not get on."""
    waiting = (item.get("state") or {}).get("waiting") or {}
    reason = waiting.get("reason")
    if reason in _IMAGE_REASONS:
        cure = "correct its name, or give the pod the imagePullSecrets that it needs"
        return Trouble("ImagePullFailed", f"container {name}: image {item.get('image')} cannot be pulled: {cure}")
    if reason in _CONFIG_REASONS:
        return Trouble("ConfigError", shorten(f"container {name}: {waiting.get('message') or reason}"))
    end = _terminated(item) or (item.get("lastState") or {}).get("terminated")
    if not end or (end.get("exitCode") == 0 and not item.get("restartCount")):
        return None
    if item.get("ready") and "running" in (item.get("state") or {}):
        return None
    if end.get("reason") == _OUT_OF_MEMORY:
        return Trouble(_OUT_OF_MEMORY, _memory_cure(name))
    said, detail = _said(end.get("message")), _words(end.get("message"))
    return Trouble(
        said.reason if said else "ContainerFailed",
        shorten(f"container {name} ended with exit code {end.get('exitCode')}" + (f": {detail}" if detail else "")),
    )


def _memory_cure(container: str) -> str:
    """What to do about a container that needs more memory."""
    return f"container {container} used more memory than its limit: raise resources.limits.memory"


def _said(message: str | None) -> Trouble | None:
    """What a container of ours wrote as its termination message, if it did: JSON with reason and message."""
    data = _as_object(message)
    if data is None or not isinstance(data.get("reason"), str):
        return None
    return Trouble(_word(data["reason"]) or "Error", shorten(str(data.get("message", "")), _WORDS_LIMIT))


def _as_object(message: str | None) -> dict[str, Any] | None:
    """A termination message that is a JSON object."""
    try:
        data = json.loads(message or "")
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _words(message: str | None) -> str:
    """A termination message for a person; of a log, its end."""
    said = _said(message)
    return said.message if said else last_words(message or "", _WORDS_LIMIT)


def _word(text: str | None) -> str:
    """The text as a reason can hold it."""
    return "".join(c for c in text or "" if c.isascii() and c.isalnum())[:64]


def _terminated(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The end of a container, if it ended."""
    return (item.get("state") or {}).get("terminated")


def _status_of(pod: Mapping[str, Any], container: str) -> Mapping[str, Any]:
    """The status of one container, empty before there is one."""
    statuses = _all_statuses(pod.get("status") or {})
    return next((item for name, item in statuses if name == container), {})


def _all_statuses(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container's status, init containers first, with its name."""
    yield from _statuses(status, "initContainerStatuses")
    yield from _statuses(status, "containerStatuses")


def _statuses(status: Mapping[str, Any], field: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The statuses of one list with their containers' names."""
    for item in status.get(field) or []:
        yield str(item.get("name")), item
