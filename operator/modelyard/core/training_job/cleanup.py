"""A TrainingJob that is over, or cannot begin, goes by itself after spec.ttlSecondsAfterFinished."""

from datetime import datetime

from modelyard.api import names
from modelyard.api.training_job import INVALID_SPEC
from modelyard.core import clock
from modelyard.core.conditions import find
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.serving import ReadObject
from modelyard.core.training_job.draft import Draft

_SOON_SECONDS = 1.0
TIME_TO_READ_SECONDS = 600
"""How long a spec that cannot work stays at least: its message is all that is left of it, and it may be mended."""


def seconds_left(resource: Manifest, now: datetime) -> float | None:
    """How long the object stays; None for ever."""
    ttl, status = resource["spec"].get("ttlSecondsAfterFinished"), resource.get("status") or {}
    if ttl is None:
        return None
    if ended := status.get("completionTime"):
        return _left(ended, ttl, now)
    since = find(status, "Stalled").get("lastTransitionTime")
    is_current = status.get("observedGeneration") == resource["metadata"].get("generation", 1)
    is_invalid = status.get("problem") == INVALID_SPEC and is_current and not resource["spec"].get("suspend")
    return _left(since, max(ttl, TIME_TO_READ_SECONDS), now) if since and is_invalid else None


def recheck_after(draft: Draft) -> float | None:
    """When to look again, if ever; soon where it was read anew and its time has not come after all."""
    left = seconds_left(draft.resource, draft.now)
    return None if left is None else max(left, _SOON_SECONDS)


def look_in_time(draft: Draft) -> None:
    """Look again once the time of a spec that cannot work has come; of one that is suspended it never comes."""
    ttl = draft.spec.ttl_seconds_after_finished
    if ttl is None or draft.spec.suspend:
        return
    since = (draft.conditions.get("Stalled") or {})["lastTransitionTime"]
    draft.look_within(max(_left(since, max(ttl, TIME_TO_READ_SECONDS), draft.now), _SOON_SECONDS))


def due(draft: Draft) -> ObjectRef | None:
    """The object itself, once its time has come. It is read anew then: its owner may have changed their mind just now.

    Raises:
        Open: it is to be read.
    """
    left = seconds_left(draft.resource, draft.now)
    if left is None or left > 0:
        return None
    ref = draft.ref(names.API_VERSION, "TrainingJob", draft.name, draft.uid)
    live = draft.ask(ReadObject(ref))
    still = seconds_left(live, draft.now) if live else None
    return ref if still is not None and still <= 0 else None


def _left(since: str, ttl: int, now: datetime) -> float:
    """What is left of a time."""
    return float(ttl) - (now - clock.from_text(since)).total_seconds()
