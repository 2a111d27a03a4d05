"""What is said of a ModelDeployment: which version serves, how far a switch has come, what keeps it."""

from datetime import timedelta
from typing import Any

from modelyard.core import clock
from modelyard.core.model_deployment import alias_back, refusals, smoke
from modelyard.core.model_deployment.backend import PredictorState
from modelyard.core.model_deployment.draft import Draft, Refusal
from modelyard.core.model_deployment.versions import stable_item
from modelyard.core.plan import Event, Failure, Plan
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import AskServer
from modelyard.core.tracking import RegisteredVersion

SWITCH_RECHECK_SECONDS = 2.0
"""How often the server is asked once its pods say that they are ready."""

FINAL_REASONS = frozenset(
    {
        "AccessDenied",
        "DigestMismatch",
        "ModelIncomplete",
        "ModelNotFound",
        "SmokeTestFailed",
        "UnsupportedArtifactStore",
        "WrongFlavour",
    }
)
"""What the fetcher, or the server, says of a version that trying again does not change."""


LATE = "ProgressDeadlineExceeded"
"""The reason of a version that took too long."""


def report(draft: Draft, version: str, state: PredictorState, wanted: RegisteredVersion | None) -> Plan:
    """The plan, saying how far this version has come."""
    if draft.spec.replicas == 0 and state.applied_version == version and not draft.is_changed:
        return _scaled_to_zero(draft, version)
    is_complete = state.applied_version == state.rolled_out_version == version
    if is_complete and state.available == draft.spec.replicas and not draft.is_changed:
        refusal = _what_the_server_says(draft, version)
        if refusal is None:
            return _tried(draft, version, state, wanted)
        draft.look_again_in(SWITCH_RECHECK_SECONDS)
        return _switching(draft, version, state, None, refusal.message)
    trouble = state.trouble if state.applied_version == version else None
    return _switching(draft, version, state, trouble, _doing(draft, version, state))


def _doing(draft: Draft, version: str, state: PredictorState) -> str:
    """What is being waited for."""
    makes_room = draft.spec.rollout.surge == "Forbid" and state.applied_version not in (None, version)
    return "an old pod goes first, because spec.rollout.surge is Forbid" if makes_room else "starting"


def _tried(draft: Draft, version: str, state: PredictorState, wanted: RegisteredVersion | None) -> Plan:
    """It answers; the first version of all, which no canary could try, is not told to serve before it passed."""
    if draft.stable_version is None:
        try:
            found = _trouble_of_the_first(draft, version)
        except smoke.Unanswered as unanswered:
            draft.look_again_in(SWITCH_RECHECK_SECONDS)
            return _switching(draft, version, state, None, str(unanswered))
        if found:
            return _switching(draft, version, state, found)
    return _serving(draft, version, wanted)


def _trouble_of_the_first(draft: Draft, version: str) -> Trouble | None:
    """Why it did not pass, asked once: what came of it is remembered.

    Raises:
        Unanswered: see `smoke.trouble_with`.
    """
    if refusals.refusal_of(draft, version) is None:
        found = smoke.trouble_with(draft, draft.server_url, version)
        if found is None:
            return None
        refusals.refuse(draft, version, found)
    known = refusals.refusal_of(draft, version) or {}
    return Trouble(known["reason"], f"{known['message']}; mend the model or the example and log it again")


def _what_the_server_says(draft: Draft, version: str) -> Failure | None:
    """What keeps the server from saying that it serves this version; None once it did."""
    if draft.was_ready and draft.stable_version == version and not draft.status.get("progress"):
        return None
    answer = draft.ask(AskServer(draft.server_url, version, draft.spec.server.protocol))
    return answer if isinstance(answer, Failure) else None


def taken_up(draft: Draft, version: str, wanted: RegisteredVersion | None, started_at: str | None) -> None:
    """Write down that this version serves, and, where another one did before, that its rollout is over."""
    was = draft.stable_version
    stable = stable_item(draft, version, wanted)
    stable.setdefault("since", clock.to_text(draft.now))
    draft.status["stable"] = stable
    if was != version:
        refusals.forget(draft, version)
        refusals.close(draft, version, "Promoted", startedAt=started_at)
        told = f"version {version} serves" + (f", after version {was}" if was else "")
        draft.events.append(Event("Serving", told))


def _serving(draft: Draft, version: str, wanted: RegisteredVersion | None) -> Plan:
    """Exactly this version serves."""
    taken_up(draft, version, wanted, (draft.status.pop("progress", None) or {}).get("startedAt"))
    refusal = refusals.refusal_of(draft, wanted.version) if wanted and wanted.version != version else None
    if refusal:
        return _serving_the_one_before(draft, version, refusal)
    reason, message = _serving_as_asked(draft, version, wanted)
    draft.conditions.true("Ready", reason, message)
    draft.conditions.false("Progressing", "Serving", message)
    draft.conditions.false("Degraded", "Serving", "")
    if draft.refusal:
        return _serving_in_place_of_a_refused_one(draft, draft.refusal, message)
    return draft.finish(reconciling=wanted is None and not draft.spec.paused, stalled=None)


def _serving_the_one_before(draft: Draft, version: str, refusal: dict[str, Any]) -> Plan:
    """This version serves because the one that is wanted failed."""
    moved = alias_back.move_back(draft, refusal, version)
    message = f"version {version} serves; {refusals.told(draft, refusal)}{moved}"
    draft.conditions.true("Ready", "RolledBack", message)
    draft.conditions.false("Progressing", "RolledBack", message)
    draft.conditions.true("Degraded", refusal["reason"], message)
    return draft.finish(reconciling=False, stalled=(refusal["reason"], message))


def _serving_in_place_of_a_refused_one(draft: Draft, refusal: Refusal, message: str) -> Plan:
    """The version before serves on, and it is said why."""
    draft.conditions.true("Degraded", refusal.reason, refusal.message)
    if not refusal.is_final:
        return draft.finish(reconciling=True, stalled=None)
    draft.events.append(Event(refusal.reason, refusal.message, "Warning"))
    return draft.finish(reconciling=False, stalled=(refusal.reason, message))


def _serving_as_asked(draft: Draft, version: str, wanted: RegisteredVersion | None) -> tuple[str, str]:
    """Reason and message of a Ready that is true, though it may not be what spec.model asks for."""
    message = f"version {version} serves"
    if draft.spec.paused and wanted is not None and wanted.version != version:
        return "Paused", f"{message}; version {wanted.version} waits because spec.paused is true"
    if draft.refusal:
        return draft.refusal.reason, f"{message}; not started: {draft.refusal.message}"
    if wanted is None:
        resolved = draft.conditions.get("ModelResolved") or {}
        return resolved["reason"], f"{message}; {resolved['message']}"
    return "Serving", message


def _scaled_to_zero(draft: Draft, version: str) -> Plan:
    """Nothing serves, because a person wants it so."""
    draft.status.pop("progress", None)
    draft.not_ready("ScaledToZero", f"spec.replicas is 0: nothing serves version {version}")
    draft.conditions.false("Progressing", "ScaledToZero", "")
    draft.conditions.false("Degraded", "ScaledToZero", "")
    return draft.finish(reconciling=False, stalled=None)


def _switching(
    draft: Draft, version: str, state: PredictorState, trouble: Trouble | None, doing: str = "starting"
) -> Plan:
    """This version is being taken up, or its pods are on their way back."""
    left = _time_left(draft, version)
    kept = draft.stable_version if state.available > 0 else None
    is_late = left <= timedelta(0)
    if is_late:
        trouble = _lateness(draft, trouble, doing)
    else:
        draft.look_again_in(left.total_seconds())
    reason = trouble.reason if trouble else "Progressing"
    message = f"version {version}: {trouble.message if trouble else doing}"
    if kept == version:
        counted = f"version {version} serves with {state.available} of {draft.spec.replicas} pods"
        message = f"{counted}; {trouble.message}" if trouble else counted
    elif kept:
        message = f"version {kept} serves; {message}"
    if kept:
        draft.conditions.true("Ready", reason, message)
    else:
        draft.not_ready(reason, message)
    is_final = is_late or reason in FINAL_REASONS
    if trouble:
        draft.conditions.true("Degraded", reason, message)
        draft.events.append(Event(reason, f"version {version}: {trouble.message}", "Warning"))
    else:
        draft.conditions.false("Degraded", "Progressing", "")
    if is_final:
        draft.conditions.false("Progressing", reason, message)
        return draft.finish(reconciling=False, stalled=(reason, message))
    draft.conditions.true("Progressing", reason, message)
    return draft.finish(reconciling=True, stalled=None)


def failure_of(draft: Draft, version: str, state: PredictorState) -> Trouble | None:
    """Why this version, which is being taken up, will not serve; None while it still may."""
    if state.trouble and state.trouble.reason in FINAL_REASONS:
        return state.trouble
    return _lateness(draft, state.trouble, "starting") if _time_left(draft, version) <= timedelta(0) else None


def _lateness(draft: Draft, trouble: Trouble | None, doing: str) -> Trouble:
    """It took too long; what is known of why."""
    detail = f"{trouble.reason}: {trouble.message}" if trouble else doing
    return Trouble(LATE, f"it does not serve after {draft.spec.progress_deadline_seconds} s: {detail}")


def _time_left(draft: Draft, version: str) -> timedelta:
    """What is left of progressDeadlineSeconds; a new version or an edit of spec begins it anew."""
    progress = draft.status.get("progress") or {}
    if progress.get("version") != version or progress.get("generation") != draft.generation:
        progress = {"version": version, "generation": draft.generation, "startedAt": clock.to_text(draft.now)}
        draft.status["progress"] = progress
    took = draft.now - clock.from_text(progress["startedAt"])
    return timedelta(seconds=draft.spec.progress_deadline_seconds) - took
