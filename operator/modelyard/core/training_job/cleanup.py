"""A TrainingJob that is over goes by itself after a while, if spec.ttlSecondsAfterFinished says so."""

from datetime import datetime

from modelyard.api import names
from modelyard.core import clock
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.serving import ReadObject
from modelyard.core.training_job.draft import Draft

_SOON_SECONDS = 1.0


def seconds_left(resource: Manifest, now: datetime) -> float | None:
    """How long the object stays; None for ever."""
    ttl = resource["spec"].get("ttlSecondsAfterFinished")
    ended = (resource.get("status") or {}).get("completionTime")
    if ttl is None or not ended:
        return None
    return float(ttl) - (now - clock.from_text(ended)).total_seconds()


def recheck_after(draft: Draft) -> float | None:
    """When to look again, if ever; soon where it was read anew and its time has not come after all."""
    left = seconds_left(draft.resource, draft.now)
    return None if left is None else max(left, _SOON_SECONDS)


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
