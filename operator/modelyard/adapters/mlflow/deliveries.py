"""Judges what MLflow's webhooks deliver: signed, recent, new, and about an alias."""

import base64
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from modelyard.core.tracking import Moved

MOST_BYTES = 64 * 1024
"""Of a body: MLflow's own are below 1 KiB, unless a name or a tag is long."""
OLDEST_SECONDS = 300.0
"""How far a delivery's timestamp may be from now; MLflow's own retries end well before."""
_MOST_REMEMBERED = 4096
_LONGEST_HEADER = 200


class Verdict(StrEnum):
    """What became of a delivery; also the value of the metric's label."""

    ACCEPTED = "accepted"
    FORWARDED = "forwarded"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    """Signed, but about something else."""
    UNSIGNED = "unsigned"
    """No signature, or not one of ours."""
    STALE = "stale"
    MALFORMED = "malformed"
    NOBODY_LEADS = "nobody_leads"
    TOO_MANY = "too_many"


@dataclass(frozen=True)
class Delivery:
    """One request as it came."""

    identity: str
    timestamp: str
    signature: str
    body: bytes

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> "Delivery":
        """The headers that count, empty where they are missing or too long."""
        names = ("X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature")
        given = [headers.get(name, "") for name in names]
        identity, timestamp, signature = (text if len(text) <= _LONGEST_HEADER else "" for text in given)
        return cls(identity, timestamp, signature, body)

    def is_signed_with(self, secret: bytes) -> bool:
        """Whether the one who sent it knows the secret."""
        signed = _bytes(f"{self.identity}.{self.timestamp}.") + self.body
        expected = b"v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256))
        return hmac.compare_digest(expected, _bytes(self.signature))


class Judge:
    """Knows the secrets, the time and what came before."""

    def __init__(self, secrets: Callable[[], tuple[bytes, ...]], now: Callable[[], float]) -> None:
        self._secrets = secrets
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()

    def judge(self, delivery: Delivery) -> Moved | Verdict:
        """What it says, or why it says nothing. The signature comes first: nothing else is read of a stranger's."""
        if not delivery.identity or not any(delivery.is_signed_with(secret) for secret in self._secrets()):
            return Verdict.UNSIGNED
        if not self._is_recent(delivery.timestamp):
            return Verdict.STALE
        if delivery.identity in self._seen:
            return Verdict.DUPLICATE
        return _read(delivery.body)

    def remember(self, delivery: Delivery) -> None:
        """It was dealt with: the same again is a retry, or a replay."""
        self._seen[delivery.identity] = None
        while len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)

    def _is_recent(self, timestamp: str) -> bool:
        """Whether it was sent at about this time."""
        is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        return is_number and abs(self._now() - int(timestamp)) <= OLDEST_SECONDS


def secrets_in(file: Path) -> tuple[bytes, ...]:
    """The secrets that hold now, one a line: while one is replaced by another both do. None where it cannot be read."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return ()
    return tuple(stripped for line in lines if (stripped := line.strip()))


def _bytes(header: str) -> bytes:
    """A header as it came over the wire, whatever it holds."""
    return header.encode("utf-8", "surrogateescape")


def _read(body: bytes) -> Moved | Verdict:
    """What a body says; that it is signed does not make it well formed."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Verdict.MALFORMED
    if not isinstance(said, dict):
        return Verdict.MALFORMED
    if said.get("entity") != "model_version_alias":
        return Verdict.IGNORED
    data, workspace = said.get("data"), said.get("workspace")
    model, alias = (_text(data, "name"), _text(data, "alias")) if isinstance(data, dict) else ("", "")
    if not model or not alias:
        return Verdict.MALFORMED
    return Moved(model, alias, workspace if isinstance(workspace, str) else "")


def _text(data: dict[Any, Any], name: str) -> str:
    """A text of this name, empty where there is none."""
    value = data.get(name)
    return value if isinstance(value, str) else ""
