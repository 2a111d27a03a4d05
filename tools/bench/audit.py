"""What was asked of the local cluster's API server and when, by its own log: nobody measures themselves."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

WRITES = frozenset({"create", "update", "patch"})


@dataclass(frozen=True)
class Write:
    """One write to an object that succeeded."""

    at: float
    """When the request came in, in Unix seconds."""
    written: dict[str, Any]
    """The object as it was after it."""


class AuditLog:
    """Reads the log from a mark on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self) -> int:
        """Where the log ends now."""
        return self._path.stat().st_size

    def writes(
        self, mark: int, resource: str, namespace: str, name: str, subresource: str | None = None
    ) -> list[Write]:
        """The writes to one object since then, in the order of the log: to its spec, or to one subresource."""
        with self._path.open("rb") as log:
            log.seek(mark)
            # Most lines are of something else, and parsing them all takes long.
            lines = [line for line in log if f'"{resource}"'.encode() in line and line.endswith(b"\n")]
        wanted = {"resource": resource, "namespace": namespace, "name": name, "subresource": subresource}
        return [_write(entry) for line in lines if _is_meant(entry := json.loads(line), wanted)]


def _is_meant(entry: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    reference = entry.get("objectRef") or {}
    is_done = entry["verb"] in WRITES and entry.get("responseStatus", {}).get("code", 500) < 300
    return is_done and all(reference.get(key) == value for key, value in wanted.items())


def _write(entry: dict[str, Any]) -> Write:
    return Write(datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp(), entry["responseObject"])
