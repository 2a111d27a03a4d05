"""Why an attempt does not run yet: its pods say it, or only the Events about its Job and pods do."""

from datetime import timedelta

from modelyard.core import pod_state, refusal, unstarted
from modelyard.core.plan import Manifest
from modelyard.core.pod_state import Trouble
from modelyard.core.training_job import cures, distributed
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.outcome import TRAINER
from modelyard.core.unstarted import GRACE, SLOW_START


def say_why(draft: Draft, number: int, job: Manifest, pods: list[Manifest], age: timedelta) -> None:
    """Say that an attempt does not run yet, and why as far as that can be known."""
    trouble = trouble_of(draft, job, pods, age)
    if trouble:
        draft.trouble = trouble.reason
        message = f"{trouble.reason}: {cures.told(draft.spec, trouble)}"
    else:
        message = _not_known(draft, number, job, pods, age)
    draft.set_state("Pending", message + distributed.how_many_run(_started(pods), draft.spec.nodes))
    if not any(pod_state.trouble(pod) for pod in pods):
        draft.look_within(unstarted.recheck_seconds(age))


def trouble_of(draft: Draft, job: Manifest, pods: list[Manifest], age: timedelta) -> Trouble | None:
    """What keeps an attempt from running, if that can be known."""
    known = next((found for pod in pods if (found := pod_state.trouble(pod))), None)
    if known:
        return unstarted.with_claims_word(draft, cures.origin(draft.spec).claims(), known)
    unheard = next((found for pod in pods if (found := unstarted.silence(pod, draft.now))), None)
    return unheard or _told_by_events(draft, job, pods, age)


def _started(pods: list[Manifest]) -> list[Manifest]:
    """Those whose trainer runs, or ran."""
    return [pod for pod in pods if pod_state.is_started(pod, TRAINER)]


def _slowest(pods: list[Manifest]) -> Manifest:
    """The first that did not start."""
    started = _started(pods)
    return next((pod for pod in sorted(pods, key=distributed.index_of) if pod not in started), pods[0])


def _told_by_events(draft: Draft, job: Manifest, pods: list[Manifest], age: timedelta) -> Trouble | None:
    """What no status tells: pods that a quota or a policy refused, volumes that are not there."""
    if len(pods) < draft.spec.nodes:
        metadata = job["metadata"]
        warned = unstarted.newest_warning(draft, "batch/v1", "Job", metadata["name"], metadata.get("uid"))
        if warned and warned.reason == "FailedCreate":
            # What comes before names a pod that was never made, another one each time.
            said = warned.note.rpartition("is forbidden: ")[2]
            return Trouble(refusal.reason_of(warned.note, "PodsRefused"), f"no pod can be made: {said}")
    elif age >= (GRACE if cures.origin(draft.spec).named_objects() else SLOW_START):
        return unstarted.volume_trouble(draft, _slowest(pods))
    return None


def _not_known(draft: Draft, number: int, job: Manifest, pods: list[Manifest], age: timedelta) -> str:
    """What to say, and where to look, while nothing is known."""
    if age < SLOW_START:
        return f"attempt {number} begins"
    if len(pods) < draft.spec.nodes:
        name = job["metadata"]["name"]
        missing = "not all its pods" if pods else "no pod"
        where = f"kubectl describe job {name} -n {draft.namespace}"
        return f"attempt {number}: Job {name} has {missing} yet; see {where}"
    name = _slowest(pods)["metadata"]["name"]
    return (
        f"attempt {number}: pod {name} is starting; if this lasts, see kubectl describe pod {name} -n {draft.namespace}"
    )
