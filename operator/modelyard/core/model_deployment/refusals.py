"""Versions that failed, and rollouts that are over: what status remembers of them."""

from datetime import timedelta
from typing import Any

from modelyard.api import names
from modelyard.core import clock
from modelyard.core.conditions import in_bytes, shorten
from modelyard.core.matching import digest
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.plan import Event
from modelyard.core.pod_state import Trouble

_MOST_REFUSED = 10
_NOT_COMPARED = {"model", "replicas", "autoscaling", "paused", "route", "rollback", "revision_history_limit"}
"""Parts of spec whose change does not make a version that failed worth trying again."""


def refuse(draft: Draft, version: str, why: Trouble) -> None:
    """Remember that this version failed."""
    entry = {
        "version": version,
        "reason": why.reason,
        "message": in_bytes(shorten(why.message), 1024),
        "time": clock.to_text(draft.now),
        "specDigest": _spec_digest(draft),
        "retry": draft.annotation(names.ANNOTATION_RETRY),
    }
    others = [item for item in draft.status.get("refusedVersions") or [] if item["version"] != version]
    kept = {name: value for name, value in entry.items() if value is not None}
    draft.status["refusedVersions"] = [*others, kept][-_MOST_REFUSED:]
    draft.events.append(Event(why.reason, f"version {version} is refused: {why.message}", "Warning"))


def forget(draft: Draft, version: str) -> None:
    """This version serves: whatever it failed with before is past."""
    kept = [item for item in draft.status.get("refusedVersions") or [] if item["version"] != version]
    draft.status["refusedVersions"] = kept


def refusal_of(draft: Draft, version: str | None) -> dict[str, Any] | None:
    """Why this version is not to be tried now; None where it may be."""
    found = next((item for item in draft.status.get("refusedVersions") or [] if item["version"] == version), None)
    if found is None or _may_be_tried_again(draft, found):
        return None
    return dict(found)


def _may_be_tried_again(draft: Draft, entry: dict[str, Any]) -> bool:
    """Whether a person, an edit of spec or time allows another try."""
    if entry.get("specDigest") != _spec_digest(draft):
        return True
    asked = draft.annotation(names.ANNOTATION_RETRY)
    if asked and asked.partition("/")[0] == entry["version"] and asked != entry.get("retry"):
        return True
    if draft.spec.rollback.skip_failed_versions or entry["reason"] == ABORTED:
        return False
    left = clock.from_text(entry["time"]) + timedelta(seconds=draft.spec.progress_deadline_seconds) - draft.now
    if left > timedelta(0):
        draft.look_again_in(left.total_seconds())
    return left <= timedelta(0)


ABORTED = "Aborted"
"""The reason of a version that a person ended."""


def abortion_of(draft: Draft, version: str) -> Trouble | None:
    """Whether a person ended the rollout of this version."""
    if draft.annotation(names.ANNOTATION_ABORT) != version:
        return None
    again = _how_to_retry(draft, version, clock.to_text(draft.now))
    cure = f"remove it (kubectl annotate md {draft.name} {names.ANNOTATION_ABORT}-) and {again}"
    return Trouble(ABORTED, f"the annotation {names.ANNOTATION_ABORT} names it; to try it again, {cure}")


def told(draft: Draft, entry: dict[str, Any]) -> str:
    """A refusal in words, with what a person can do about it."""
    said = f"version {entry['version']} was refused, {entry['reason']}: {entry.get('message', '')}".rstrip(": ")
    if entry["reason"] == ABORTED:
        return said
    return f"{said}; to try it again, {_how_to_retry(draft, entry['version'], entry['time'])}, or mend spec"


def _how_to_retry(draft: Draft, version: str, when: str) -> str:
    """The command that allows another try; the annotation's value has to be a new one each time."""
    used = draft.annotation(names.ANNOTATION_RETRY)
    value = f"{version}/{when}" if used and used.partition("/")[0] == version else version
    return f"kubectl annotate --overwrite md {draft.name} {names.ANNOTATION_RETRY}={value}"


def close(draft: Draft, version: str, outcome: str, **more: str | None) -> None:
    """Write a rollout that is over into the history; `more` holds reason and startedAt."""
    entry = {"version": version, "outcome": outcome, **more, "finishedAt": clock.to_text(draft.now)}
    kept = {name: value for name, value in entry.items() if value is not None}
    limit = draft.spec.revision_history_limit
    draft.status["history"] = [*(draft.status.get("history") or []), kept][-limit:] if limit else []


def _spec_digest(draft: Draft) -> str:
    """Names the parts of spec that decide whether a version can serve."""
    # Without what is not set: a release with another field is no reason to try a version again.
    return digest(draft.spec.model_dump(mode="json", by_alias=True, exclude=_NOT_COMPARED, exclude_defaults=True))
