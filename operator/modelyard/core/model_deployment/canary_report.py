"""What is said while a canary is under way."""

from modelyard.api import names
from modelyard.core.model_deployment import monitoring, refusals, split
from modelyard.core.model_deployment.canary import Canary
from modelyard.core.model_deployment.scene import Scene
from modelyard.core.plan import Event, Plan
from modelyard.core.pod_state import Trouble

INCONCLUSIVE = "AnalysisInconclusive"
"""The reason while only the analysis has kept a step for longer than progressDeadlineSeconds."""


def waiting(scene: Scene, canary: Canary, missing: str) -> Plan:
    """Its pods are not there yet, or not any more."""
    trouble = scene.canary_state.trouble
    return _stumble(scene, canary, _along(scene, canary, trouble.message if trouble else missing), trouble)


def held(scene: Scene, version: str, why: Trouble) -> Plan:
    """None is begun: nothing would give it its share of the traffic."""
    draft = scene.draft
    message = f"version {scene.settled_version} serves; version {version} waits: {why.message}"
    if why.reason == split.PENDING:
        return _say(scene, message)
    _state_ready(scene, why.reason, message)
    draft.conditions.false("Progressing", why.reason, message)
    draft.conditions.true("Degraded", why.reason, message)
    draft.events.append(Event(why.reason, message, "Warning"))
    return draft.finish(reconciling=False, stalled=(why.reason, message))


def not_split(scene: Scene, canary: Canary, why: Trouble) -> Plan:
    """The Gateway does not give it the share that it was told."""
    if why.reason == split.PENDING:
        return _say(scene, _along(scene, canary, why.message))
    scene.draft.conditions.true("Degraded", why.reason, why.message)
    return _say(scene, _along(scene, canary, why.message), why.reason, is_degraded=True)


def stepping(scene: Scene, canary: Canary) -> Plan:
    """A step was taken."""
    return _say(scene, _along(scene, canary, "going on"))


def pausing(scene: Scene, canary: Canary) -> Plan:
    """A step lasts."""
    seconds = canary.step.pause.seconds if canary.step and canary.step.pause else None
    if scene.draft.spec.paused:
        return _say(scene, _along(scene, canary, "no step is taken while spec.paused is true"), "Paused")
    if scene.wanted is None:
        resolved = scene.draft.conditions.get("ModelResolved") or {"reason": "AwaitingVersion", "message": ""}
        doing = f"no step is taken while it is not known which version is wanted: {resolved['message']}"
        return _say(scene, _along(scene, canary, doing), resolved["reason"])
    if seconds:
        return _say(scene, _along(scene, canary, f"paused for {seconds} s"))
    word = canary.words_to_resume()[0]
    doing = f"to go on, kubectl annotate --overwrite md {scene.draft.name} {names.ANNOTATION_RESUME}={word}"
    return _say(scene, _along(scene, canary, doing), "AwaitingResume")


def analysing(scene: Scene, canary: Canary, awaited: str) -> Plan:
    """A step is over, but no check at its share has passed."""
    if not monitoring.hold(scene, canary):
        return _say(scene, _along(scene, canary, f"waiting for the analysis: {awaited}"), "Analysing")
    cure = "send it more traffic, or lower minSamples or leave out a metric in spec.rollout.analysis"
    message = _along(scene, canary, f"the analysis comes to no result: {awaited}; {cure}")
    scene.draft.conditions.true("Degraded", INCONCLUSIVE, awaited)
    scene.draft.events.append(Event(INCONCLUSIVE, f"version {canary.version}: {awaited}; {cure}", "Warning"))
    return _say(scene, message, INCONCLUSIVE, is_degraded=True)


def promoting(scene: Scene, canary: Canary, doing: str) -> Plan:
    """The stable pods become its version."""
    trouble = scene.servers.stable.trouble
    share = f"version {canary.version} gets {canary.weight} % of the traffic and is taken up"
    before = f"version {scene.settled_version} serves; {share}: {trouble.message if trouble else doing}"
    return _stumble(scene, canary, before, trouble)


def finishing(scene: Scene, canary: Canary, doing: str) -> Plan:
    """It is the stable version."""
    return _say(scene, f"version {canary.version} serves; {doing}")


def leaving(scene: Scene, version: str, canary: Canary | None) -> Plan:
    """It goes."""
    refusal = refusals.refusal_of(scene.draft, canary.version) if canary else None
    if refusal is None:
        return _say(scene, f"version {version} serves; the canary before goes")
    why = refusals.told(scene.draft, refusal)
    scene.draft.conditions.true("Degraded", refusal["reason"], why)
    return _say(scene, f"version {version} serves; {why}; its canary goes", refusal["reason"], is_degraded=True)


def _along(scene: Scene, canary: Canary, doing: str) -> str:
    """How far it has come, and what is being done."""
    if canary.number_of_steps == 0:
        return f"version {scene.settled_version} serves; version {canary.version} is tried without traffic: {doing}"
    share = f"version {canary.version} gets {canary.weight} % of the traffic"
    if canary.mirror_percent:
        copies = canary.mirror_percent if canary.has_share else 0
        share = f"version {canary.version} gets copies of {copies} % of the requests and answers no client"
    step = f"step {min(canary.number, canary.number_of_steps)} of {canary.number_of_steps}"
    return f"version {scene.settled_version} serves; {share}, {step}: {doing}"


def _stumble(scene: Scene, canary: Canary, message: str, trouble: Trouble | None) -> Plan:
    """It is under way, perhaps with pods that do not get on."""
    if trouble is None:
        return _say(scene, message)
    scene.draft.conditions.true("Degraded", trouble.reason, trouble.message)
    scene.draft.events.append(Event(trouble.reason, f"version {canary.version}: {trouble.message}", "Warning"))
    return _say(scene, message, trouble.reason, is_degraded=True)


def _say(scene: Scene, message: str, reason: str = "Progressing", *, is_degraded: bool = False) -> Plan:
    """The plan with these words; what is wrong was stated before."""
    draft = scene.draft
    _state_ready(scene, reason, message)
    draft.conditions.true("Progressing", reason, message)
    if not is_degraded:
        draft.conditions.false("Degraded", reason, "")
    return draft.finish(reconciling=True, stalled=None)


def _state_ready(scene: Scene, reason: str, message: str) -> None:
    """Ready, if any pod serves."""
    if scene.servers.stable.available or scene.canary_state.available:
        scene.draft.conditions.true("Ready", reason, message)
    else:
        scene.draft.not_ready(reason, message)
