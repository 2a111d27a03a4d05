"""What the operator asked of the API server, as the audit log has it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
READS = frozenset({"get", "list"})


@dataclass(frozen=True)
class Request:
    """One answered request."""

    user: str
    verb: str
    group: str
    resource: str
    """With its subresource, if any, behind a slash."""
    namespace: str
    name: str
    code: int
    body: Any = None

    @property
    def right(self) -> tuple[str, str, str]:
        """What RBAC has to grant for it."""
        return self.verb, self.group, self.resource

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name} {self.code}"


class AuditLog:
    """Reads the log from a mark on; watches are listed once they end, so they are left out."""

    def __init__(self, path: Path, user: str) -> None:
        self._path = path
        self._user = user

    def mark(self) -> int:
        """Where the log ends now."""
        return self._path.stat().st_size if self._path.exists() else 0

    def since(self, mark: int, namespace: str | None = None) -> list[Request]:
        """The operator's requests since then, in one namespace or anywhere."""
        with self._path.open("rb") as log:
            log.seek(mark)
            lines = [line for line in log if line.endswith(b"\n")]
        found = (_request(json.loads(line)) for line in lines)
        return [
            request
            for request in found
            if request is not None and request.user == self._user and namespace in (None, request.namespace)
        ]

    def writes(self, mark: int, namespace: str) -> list[Request]:
        """The operator's writes to objects of a namespace."""
        return [request for request in self.since(mark, namespace) if request.verb in WRITES]


def counted(requests: Iterable[Request]) -> str:
    """Requests for a person: how many of which kind."""
    counts = Counter(f"{request.verb} {request.resource}" for request in requests)
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items())) or "none"


def _request(entry: dict[str, Any]) -> Request | None:
    reference = entry.get("objectRef")
    if reference is None or entry.get("stage") not in {"ResponseComplete", "ResponseStarted", "Panic"}:
        return None
    subresource = reference.get("subresource")
    return Request(
        user=entry["user"]["username"],
        verb=entry["verb"],
        group=reference.get("apiGroup", ""),
        resource=reference.get("resource", "") + (f"/{subresource}" if subresource else ""),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=int(entry.get("responseStatus", {}).get("code", 0)),
        body=entry.get("requestObject"),
    )
