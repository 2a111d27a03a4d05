"""How a version is taken up.

The order is always: the canary is there and answers; it gets traffic, step by step; the stable pods become its version;
they have all the traffic again; the canary goes last. What fails goes the other way: traffic first, pods after.
"""

from modelyard.api import names
from modelyard.api.rollout import Step
from modelyard.core.model_deployment import canary_report, monitoring, refusals, smoke, split, versions
from modelyard.core.model_deployment.canary import FINISHING, LEAVING, PROMOTING, Canary, begin, under_way
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.layout import Layout, Predictor, canary_replicas
from modelyard.core.model_deployment.report import (
    FINAL_REASONS,
    LATE,
    SWITCH_RECHECK_SECONDS,
    failure_of,
    report,
    taken_up,
)
from modelyard.core.model_deployment.room import predictor_within
from modelyard.core.model_deployment.scene import Scene
from modelyard.core.plan import Plan
from modelyard.core.pod_state import Trouble

_AT_ONCE_SECONDS = 0.1


def decide(scene: Scene) -> Plan:
    """What becomes of the version that is wanted now."""
    canary = under_way(scene.draft)
    if canary and canary.phase == FINISHING:
        return _finish(scene, canary)
    if canary and canary.phase != LEAVING:
        canary.begin_anew_with_other_steps()
        _judge(scene, canary)
    goal = versions.target(scene.draft, scene.wanted, scene.servers.stable.applied_version)
    if canary and canary.phase != LEAVING and canary.version == goal and _may_be_tried(scene, goal):
        return _promote(scene, canary) if canary.phase == PROMOTING else _go_on(scene, canary)
    if canary or (scene.servers.canary and not _is_begun(scene, goal)):
        return _leave(scene, canary, goal)
    return _take_up(scene, goal)


def _is_by_canary(scene: Scene, goal: str) -> bool:
    """Whether a version is taken up by way of a canary; with no pods there is nothing to try.

    One that has a request to be tried with is so in a rolling update too, by a canary that gets no traffic, where there
    is room for it.
    """
    draft = scene.draft
    has_room = draft.spec.rollout.surge == "Allow"
    return (_gets_a_share(draft) or (has_room and smoke.is_wanted(draft, goal))) and draft.spec.replicas > 0


def _gets_a_share(draft: Draft) -> bool:
    """Whether a canary gets traffic, or copies of it."""
    return draft.spec.rollout.strategy != "RollingUpdate"


def _may_be_tried(scene: Scene, goal: str) -> bool:
    """Whether there may be a canary, and the share of the traffic for it that it is to get."""
    is_split = not _gets_a_share(scene.draft) or split.refusal(scene.draft) is None
    return _is_by_canary(scene, goal) and is_split


def _is_begun(scene: Scene, goal: str) -> bool:
    """Whether the canary that is there is the one that is to begin: its status was lost in a crash."""
    return _is_by_canary(scene, goal) and scene.settled_version != goal == scene.canary_state.applied_version


def _take_up(scene: Scene, goal: str) -> Plan:
    """No canary is under way: begin one, or serve the version directly."""
    draft, serving = scene.draft, scene.draft.stable_version
    if serving is None or serving == goal:
        return _serve(scene, goal)
    ended = refusals.abortion_of(draft, goal)
    is_begun = scene.servers.stable.applied_version == goal
    if ended and not is_begun:
        refusals.refuse(draft, goal, ended)
        refusals.close(draft, goal, "Refused", reason=ended.reason)
        return _serve(scene, serving)
    if _is_by_canary(scene, goal):
        return _begin(scene, goal, serving)
    why = ended or (failure_of(draft, goal, scene.servers.stable) if is_begun else None)
    return _roll_back(scene, goal, serving, why) if why else _serve(scene, goal)


def _serve(scene: Scene, version: str) -> Plan:
    """The stable pods have this version, and nothing else serves."""
    scene.place(Layout(predictor_within(scene, version)))
    return report(scene.draft, version, scene.servers.stable, scene.wanted)


def _roll_back(scene: Scene, failed: str, serving: str, why: Trouble) -> Plan:
    """The stable pods were to become a version that will not do: they go back to the one before."""
    refusals.refuse(scene.draft, failed, why)
    began = (scene.draft.status.pop("progress", None) or {}).get("startedAt")
    refusals.close(scene.draft, failed, "RolledBack", reason=why.reason, startedAt=began)
    return _serve(scene, serving)


def _begin(scene: Scene, goal: str, serving: str) -> Plan:
    """Begin a canary, if its share of the traffic can be given to it."""
    scene.place(Layout(scene.stable(serving)))
    held = split.refusal(scene.draft) or split.not_in_effect(scene.draft) if _gets_a_share(scene.draft) else None
    return canary_report.held(scene, goal, held) if held else _go_on(scene, begin(scene.draft, goal))


def _judge(scene: Scene, canary: Canary) -> None:
    """Refuse a version that failed, or that a person ended."""
    ended = refusals.abortion_of(scene.draft, canary.version)
    why = ended or _failure(scene, canary) or monitoring.what_failed(scene, canary)
    if why:
        refusals.refuse(scene.draft, canary.version, why)


def _failure(scene: Scene, canary: Canary) -> Trouble | None:
    """Why this version will not do."""
    state = scene.servers.stable if canary.phase == PROMOTING else scene.canary_state
    trouble = state.trouble if state.applied_version == canary.version else None
    if trouble and trouble.reason in FINAL_REASONS:
        return trouble
    limit = scene.draft.spec.progress_deadline_seconds
    left = limit - canary.waited().total_seconds()
    if left > 0:
        scene.draft.look_again_in(left)
        return None
    detail = f": {trouble.reason}: {trouble.message}" if trouble else ""
    return Trouble(LATE, f"its pods did not serve within {limit} s{detail}")


def _go_on(scene: Scene, canary: Canary) -> Plan:
    """See that the canary is there and answers, then do what its step says."""
    draft, step = scene.draft, canary.step
    stable = scene.stable(scene.settled_version or canary.version)
    awaited = monitoring.what_is_awaited(scene, canary)
    # Pods are traffic where no route splits it: there are no more of them than the share that is given.
    is_free = awaited is None and not _is_held(scene)
    share = step.set_weight if step and step.set_weight and is_free else max(canary.steps_share)
    replicas = canary_replicas(draft.spec.replicas, share)
    predictor = scene.canary(canary.version, replicas)
    missing = _bring_up(scene, canary, stable, predictor)
    if missing:
        canary.wait()
        return canary_report.waiting(scene, canary, missing)
    if canary.weight == 0 and (ended := _try(scene, canary)):
        return ended
    canary.stop_waiting()
    if canary.mirror_percent and not canary.has_share:
        scene.place(Layout(stable, predictor, *canary.steps_share))
        canary.give(*canary.steps_share)
        canary.begin_to_copy()
    held = split.not_in_effect(draft) if step else None
    if held:
        return canary_report.not_split(scene, canary, held)
    if _is_held(scene) or not _is_over(scene, canary, step):
        return canary_report.pausing(scene, canary)
    if awaited:
        return canary_report.analysing(scene, canary, awaited)
    if step and step.set_weight:
        scene.place(Layout(stable, predictor, step.set_weight))
        canary.give(step.set_weight)
    canary.next_step()
    draft.look_again_in(_AT_ONCE_SECONDS)
    return canary_report.stepping(scene, canary)


def _try(scene: Scene, canary: Canary) -> Plan | None:
    """Send the canary, which has no traffic, its first request; a plan where it may not go on."""
    draft = scene.draft
    try:
        found = smoke.trouble_with(draft, draft.canary_url, canary.version)
    except smoke.Unanswered as unanswered:
        canary.wait()
        draft.look_again_in(SWITCH_RECHECK_SECONDS)
        return canary_report.waiting(scene, canary, str(unanswered))
    if found is None:
        return None
    # Written down before its pods go: after a crash in between it would be tried once more.
    refusals.refuse(draft, canary.version, found)
    draft.look_again_in(_AT_ONCE_SECONDS)
    return canary_report.leaving(scene, scene.settled_version or canary.version, canary)


def _bring_up(scene: Scene, canary: Canary, stable: Predictor, predictor: Predictor) -> str | None:
    """Have the canary's pods there with the share of the steps so far; what is still missing, if anything is.

    Pods that were lost take the canary's traffic with them; it comes back once they answer again.
    """
    state = scene.canary_state
    has_share = canary.has_share and state.available > 0
    share = canary.steps_share if has_share else (0, 0)
    is_changed = scene.place(Layout(stable, predictor, *share))
    canary.give(*share)
    if is_changed or not state.has_rolled_out(predictor):
        return "its pods are starting" if state.available == 0 else f"{state.available} of {predictor.replicas} pods"
    refusal = None if has_share else scene.refusal_to_answer(scene.draft.canary_url, canary.version)
    if refusal:
        scene.draft.look_again_in(SWITCH_RECHECK_SECONDS)
        return refusal.message
    if not has_share and canary.steps_weight:
        scene.place(Layout(stable, predictor, canary.steps_weight))
        canary.give(canary.steps_weight)
    return None


def _is_held(scene: Scene) -> bool:
    """Whether no further step is taken: a person paused it, or it is not known which version is wanted."""
    return scene.draft.spec.paused or scene.wanted is None


def _is_over(scene: Scene, canary: Canary, step: Step | None) -> bool:
    """Whether nothing but the analysis keeps the step: time, or a person, ends a pause."""
    pause = step.pause if step else None
    if pause is None:
        return True
    if pause.seconds is None:
        return scene.draft.annotation(names.ANNOTATION_RESUME) in canary.words_to_resume()
    left = pause.seconds - canary.time_in_step().total_seconds()
    if left > 0:
        scene.draft.look_again_in(left)
    return left <= 0


def _promote(scene: Scene, canary: Canary) -> Plan:
    """The stable pods become the canary's version, while the canary carries its share."""
    draft, version = scene.draft, canary.version
    stable = scene.stable(version)
    predictor = scene.canary(version, canary_replicas(draft.spec.replicas, canary.steps_weight))
    weight = canary.steps_weight if scene.canary_state.available > 0 else 0
    is_changed = scene.place(Layout(stable, predictor, weight))
    canary.give(weight)
    if is_changed or not scene.servers.stable.has_rolled_out(stable):
        canary.wait()
        return canary_report.promoting(scene, canary, "the stable pods become this version")
    refusal = scene.refusal_to_answer(draft.server_url, version)
    if refusal:
        canary.wait()
        draft.look_again_in(SWITCH_RECHECK_SECONDS)
        return canary_report.promoting(scene, canary, refusal.message)
    canary.enter(FINISHING)
    return _finish(scene, canary)


def _finish(scene: Scene, canary: Canary) -> Plan:
    """The stable pods have the canary's version: they get all the traffic, and then the canary goes."""
    draft, version = scene.draft, canary.version
    stable = scene.stable(version)
    canary.give(0)
    if _is_without_traffic_first(scene, stable):
        return canary_report.finishing(scene, canary, "it takes over all the traffic")
    refusal = scene.refusal_to_answer(draft.server_url, version) if stable.replicas else None
    if refusal:
        draft.look_again_in(SWITCH_RECHECK_SECONDS)
        return canary_report.finishing(scene, canary, refusal.message)
    scene.place(Layout(stable))
    if scene.servers.canary:
        return canary_report.finishing(scene, canary, "its canary goes")
    taken_up(draft, version, scene.wanted, canary.started_at)
    draft.status.pop("canary")
    draft.look_again_in(_AT_ONCE_SECONDS)
    return report(draft, version, scene.servers.stable, scene.wanted)


def _leave(scene: Scene, canary: Canary | None, goal: str) -> Plan:
    """The canary is not wanted any more: its traffic goes first, then its pods, and only then anything new begins."""
    draft, version = scene.draft, scene.settled_version or goal
    stable = scene.stable(version)
    if canary:
        canary.enter(LEAVING)
        canary.give(0)
    is_going = _is_without_traffic_first(scene, stable)
    if not is_going:
        scene.place(Layout(stable))
    if is_going or scene.servers.canary:
        return canary_report.leaving(scene, version, canary)
    if canary:
        refusal = refusals.refusal_of(draft, canary.version)
        outcome, reason = ("RolledBack", refusal["reason"]) if refusal else ("Superseded", None)
        refusals.close(draft, canary.version, outcome, reason=reason, startedAt=canary.started_at)
        draft.status.pop("canary")
    return _take_up(scene, goal)


def _is_without_traffic_first(scene: Scene, stable: Predictor) -> bool:
    """Keep the canary as it is but for its traffic; whether that is still to be done. Traffic goes before pods do."""
    left = scene.servers.canary
    if left is None or left.applied_version is None:
        return False
    is_changed = scene.place(Layout(stable, scene.canary(left.applied_version, left.wanted), 0))
    return is_changed or split.is_being_told(scene.draft)
