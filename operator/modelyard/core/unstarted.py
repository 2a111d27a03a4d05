"""Why a pod has not started, where its own status does not say: only Events do, or that nobody says anything."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from modelyard.core import clock, pod_state
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import ReadWarning, Warned
from modelyard.core.subject import Subject

GRACE = timedelta(seconds=5)
"""How long a pod may be on its way before anything is said of it: most starts are quicker."""
SLOW_START = timedelta(seconds=30)
"""After this a start is said to be slow, even when nothing is known of why."""
_SOONEST_RECHECK_SECONDS = 2.0
_LONGEST_RECHECK_SECONDS = 300.0
_VOLUME_WARNINGS = frozenset({"FailedAttachVolume", "FailedMount"})
_DEFAULT_SCHEDULER = "default-scheduler"
_UNBOUND = "unbound immediate PersistentVolumeClaims"


def recheck_seconds(age: timedelta) -> float:
    """When to look again: Events wake nobody, and are asked for less and less often."""
    return min(max(age.total_seconds() / 2, _SOONEST_RECHECK_SECONDS), _LONGEST_RECHECK_SECONDS)


def age_of(pod: Manifest, now: datetime) -> timedelta:
    """How long ago it was made, by the API server's clock."""
    made = pod["metadata"].get("creationTimestamp")
    return now - clock.from_text(made) if made else timedelta(0)


def not_looked_at(scheduler: str) -> str:
    """What is said of a pod of which its scheduler said nothing."""
    return f"no scheduler called {scheduler} has taken up the pod"


def silence(pod: Manifest, now: datetime) -> Trouble | None:
    """That its scheduler is not there: each says at once where a pod goes, or why it goes nowhere."""
    if pod_state.node(pod) or pod_state.is_judged_by_a_scheduler(pod):
        return None
    name = (pod.get("spec") or {}).get("schedulerName") or _DEFAULT_SCHEDULER
    patience = SLOW_START if name == _DEFAULT_SCHEDULER else GRACE
    return Trouble("Unschedulable", not_looked_at(name)) if age_of(pod, now) >= patience else None


def volume_trouble(subject: Subject, pod: Manifest) -> Trouble | None:
    """What keeps its volumes from being there; the kubelet tells it in Events only.

    Raises:
        Open: the Events are to be read.
    """
    if not pod_state.node(pod) or pod_state.has_begun(pod):
        return None
    warned = newest_warning(subject, "v1", "Pod", pod["metadata"]["name"], pod["metadata"].get("uid"))
    return Trouble("ConfigError", warned.note) if warned and warned.reason in _VOLUME_WARNINGS else None


def with_claims_word(subject: Subject, claims: Iterable[str], trouble: Trouble) -> Trouble:
    """The trouble, with what is said of the claim that it is about: the scheduler does not say which that is.

    Raises:
        Open: the Events about the claims are to be read.
    """
    if _UNBOUND not in trouble.message:
        return trouble
    for name in dict.fromkeys(claims):
        warned = newest_warning(subject, "v1", "PersistentVolumeClaim", name, None)
        if warned:
            cure = "name a StorageClass that there is, or make a volume for it"
            return Trouble(trouble.reason, f"PersistentVolumeClaim {name} is not bound: {warned.note}: {cure}")
    return trouble


def newest_warning(subject: Subject, api_version: str, kind: str, name: str, uid: str | None) -> Warned | None:
    """The newest Warning about an object beside the subject.

    Raises:
        Open: it is to be read.
    """
    answer = subject.ask(ReadWarning(ObjectRef(api_version, kind, subject.namespace, name, uid)))
    return answer if isinstance(answer, Warned) else None
