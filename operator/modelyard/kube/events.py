"""Kubernetes Events: what a person would want to know about an object, each told once."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from modelyard.core.plan import Event, Manifest
from modelyard.kube.errors import ApiError, Conflict
from modelyard.kube.resources import EVENTS

log = logging.getLogger(__name__)

NOTE_BYTES = 1024
"""The API server refuses longer ones."""
_REASON_LETTERS = 128
_NAME_LETTERS = 200


@dataclass(frozen=True)
class Reporter:
    """Who tells."""

    component: str
    instance: str


async def post_events(
    create: Callable[[Manifest], Awaitable[Manifest]], reporter: Reporter, about: Manifest, events: Sequence[Event]
) -> None:
    """Post each of them. They are not worth failing for: what cannot be posted is logged."""
    for event in events:
        try:
            await create(build_event(reporter, about, event, datetime.now(UTC)))
        except Conflict:
            continue  # told already: the name is made from what it says
        except ApiError as error:
            log.warning("cannot post the Event %s: %s", event.reason, error)


def build_event(reporter: Reporter, about: Manifest, event: Event, now: datetime) -> Manifest:
    """The Event's manifest; the same object, reason and note give the same name."""
    metadata = about["metadata"]
    said = "\0".join((metadata["uid"], event.reason, event.note))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": f"{metadata['name'][:_NAME_LETTERS]}.{digest}", "namespace": metadata["namespace"]},
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            **{field: metadata[field] for field in ("name", "namespace", "uid")},
        },
        "reason": event.reason[:_REASON_LETTERS],
        "note": _cut(event.note),
        "type": event.type,
        "action": "Reconcile",
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": reporter.component,
        "reportingInstance": reporter.instance[:_REASON_LETTERS],
    }


def last_seen(event: Manifest) -> str:
    """When an Event was last told, by whichever of the ways of telling; for ordering."""
    series = event.get("series") or {}
    told = (series.get("lastObservedTime"), event.get("deprecatedLastTimestamp"), event.get("eventTime"))
    return max(str(moment) for moment in (*told, event["metadata"].get("creationTimestamp", "")) if moment is not None)


def _cut(note: str) -> str:
    """The note in as many bytes as the API server takes, with no letter cut in half."""
    encoded = note.encode()
    if len(encoded) <= NOTE_BYTES:
        return note
    return encoded[: NOTE_BYTES - 3].decode(errors="ignore") + "…"
