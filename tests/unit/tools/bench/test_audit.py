"""What is read from the API server's log."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.bench.audit import AuditLog, Write


def entry(resource: str = "httproutes", verb: str = "patch", code: int = 200, **reference: str) -> dict[str, Any]:
    return {
        "verb": verb,
        "objectRef": {"resource": resource, "namespace": "team", "name": "digits", **reference},
        "requestReceivedTimestamp": "2026-11-28T11:12:01.250000Z",
        "responseStatus": {"code": code},
        "responseObject": {"kind": resource},
    }


def written(log: Path, *entries: dict[str, Any]) -> list[Write]:
    log.write_text("".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries))
    return AuditLog(log).writes(0, "httproutes", "team", "digits")


def test_a_write_has_its_time_and_what_came_of_it(tmp_path: Path) -> None:
    assert written(tmp_path / "log", entry()) == [Write(1795864321.25, {"kind": "httproutes"})]


@pytest.mark.parametrize(
    "other",
    [
        entry("deployments"),
        entry(verb="get"),
        entry(code=409),
        entry(name="digits-canary"),
        entry(namespace="else"),
        entry(subresource="status"),
    ],
    ids=["kind", "reading", "refused", "name", "namespace", "status"],
)
def test_other_requests_are_left_out(tmp_path: Path, other: dict[str, Any]) -> None:
    assert written(tmp_path / "log", other) == []


def test_the_log_is_read_from_a_mark_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    written(log, entry())
    mark = AuditLog(log).mark()

    assert AuditLog(log).writes(mark, "httproutes", "team", "digits") == []
