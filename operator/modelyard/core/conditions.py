"""Conditions: set in memory, with the time of the last change kept while the status stays the same."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelyard.core import clock

MESSAGE_LIMIT = 1024
"""Characters of a condition's message; the schema has the same bound."""

Condition = dict[str, Any]


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The text on one line, cut at the limit with a mark."""
    line = _one_line(text)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def in_bytes(text: str, limit: int) -> str:
    """The text in at most so many bytes, with no letter cut in half: what is stored is counted in them."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def last_words(text: str, limit: int) -> str:
    """The end of the text on one line: of a log, the end is what tells most."""
    line = _one_line(text)
    return line if len(line) <= limit else "…" + line[1 - limit :]


def _one_line(text: str) -> str:
    """The text without line ends and characters that cannot be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass
class Conditions:
    """The conditions of one object while its next status is being made."""

    before: Iterable[Mapping[str, Any]]
    generation: int
    now: datetime
    _set: dict[str, Condition] = field(default_factory=dict)

    def true(self, kind: str, reason: str, message: str = "") -> None:
        """State that it is so."""
        self._state(kind, "True", reason, message)

    def false(self, kind: str, reason: str, message: str = "") -> None:
        """State that it is not so."""
        self._state(kind, "False", reason, message)

    def unknown(self, kind: str, reason: str, message: str = "") -> None:
        """State that it cannot be known now."""
        self._state(kind, "Unknown", reason, message)

    def _state(self, kind: str, status: str, reason: str, message: str) -> None:
        """State something; the time of the last change stays while the status does."""
        old = next((dict(item) for item in self.before if item.get("type") == kind), {})
        since = old.get("lastTransitionTime") if old.get("status") == status else None
        self._set[kind] = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": in_bytes(shorten(message), MESSAGE_LIMIT),
            "observedGeneration": self.generation,
            "lastTransitionTime": since or clock.to_text(self.now),
        }

    def keep(self, kind: str) -> None:
        """State again what was stated before, if anything was."""
        for item in self.before:
            if item.get("type") == kind:
                self._set[kind] = dict(item)

    def begin_anew(self, kind: str) -> None:
        """Count its time from now, though its status may stay: it is about something else."""
        self.before = [item for item in self.before if item.get("type") != kind]

    def drop(self, kind: str) -> None:
        """State nothing about it."""
        self._set.pop(kind, None)

    def get(self, kind: str) -> Condition | None:
        """What is stated now."""
        return self._set.get(kind)

    def as_list(self) -> list[Condition]:
        """All that is stated, in the order it was first said."""
        return list(self._set.values())


def find(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """One condition of a status as it was read, or an empty one."""
    found = (item for item in status.get("conditions") or [] if item.get("type") == kind)
    return next(found, {})


def is_same_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses say the same; the order of conditions is the API server's to choose."""
    return _by_type(one) == _by_type(other)


def _by_type(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status with its conditions by type."""
    return {**status, "conditions": {item.get("type"): item for item in status.get("conditions") or []}}
