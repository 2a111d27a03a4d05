"""Has a canary measured and judged while it takes traffic: when it is looked at, and what status says of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.analysis import PLACEHOLDERS, Analysis
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import clock, traffic
from modelyard.core.context import Context
from modelyard.core.disagreement import CompareAnswers, Compared, key_of
from modelyard.core.model_deployment import analysis as judgement
from modelyard.core.model_deployment.analysis import Measured
from modelyard.core.model_deployment.backend import version_label
from modelyard.core.model_deployment.canary import Canary
from modelyard.core.model_deployment.scene import Scene
from modelyard.core.pod_state import Trouble
from modelyard.core.traffic import MeasureTraffic, PodAddress, QueryPrometheus

FAILED = "AnalysisFailed"
"""The reason of a version that did worse than spec allows."""

_NO_POD = "-"
"""Matches no pod's name, where an empty expression would match what has no pod at all."""


def problems_of(context: Context, spec: ModelDeploymentSpec) -> Iterator[str]:
    """Queries that the administrator lets nobody send."""
    analysis = spec.rollout.analysis
    for number, metric in enumerate(analysis.metrics if analysis and not context.may_query else ()):
        if metric.prometheus:
            yield (
                f"spec.rollout.analysis.metrics[{number}].prometheus: queries of one's own are not allowed here "
                "(prometheus.customQueries of the chart); use builtin, or ask the administrator"
            )


def what_failed(scene: Scene, canary: Canary) -> Trouble | None:
    """Check the canary when it is time to; why it has to go, if it has to."""
    analysis = scene.draft.spec.rollout.analysis
    if analysis is None or canary.share == 0:
        return None
    state = _state(scene, canary)
    left = (_due(scene, analysis, state) - scene.draft.now).total_seconds()
    if left > 0:
        scene.draft.look_again_in(left)
        return None
    measured = _measure(scene, canary, analysis)
    scene.draft.look_again_in(analysis.interval_seconds)
    if "measuredSince" not in state:
        # The first look is where counting begins: nothing can be told from it.
        state["measuredSince"] = clock.to_precise_text(scene.draft.now)
        return None
    return _judged(scene, analysis, state, measured)


def what_is_awaited(scene: Scene, canary: Canary) -> str | None:
    """What keeps the canary at its share: no step is left before a check passed since that share was given."""
    if scene.draft.spec.rollout.analysis is None or max(canary.steps_share) == 0:
        return None
    state = scene.draft.status["canary"].get("analysis") or {}
    if state.get("passed") and state["share"] == max(canary.steps_share):
        return None
    missing = judgement.what_is_missing(scene.draft.status.get("analysis") or [])
    return missing if missing and "checkedAt" in state else "the analysis has not yet checked this share"


def hold(scene: Scene, canary: Canary) -> bool:
    """Only the analysis keeps the step now; whether it has done so for longer than progressDeadlineSeconds."""
    since = _state(scene, canary).setdefault("heldSince", clock.to_precise_text(scene.draft.now))
    held = scene.draft.now - clock.from_text(since)
    return held >= timedelta(seconds=scene.draft.spec.progress_deadline_seconds)


def _state(scene: Scene, canary: Canary) -> dict[str, Any]:
    """What status.canary says of the analysis at this share; what an earlier rollout left is no part of it."""
    status = scene.draft.status
    if "analysis" not in status["canary"]:
        status.pop("analysis", None)
    state: dict[str, Any] = status["canary"].get("analysis") or {}
    if state.get("share") != canary.share:
        state = {"share": canary.share, "since": clock.to_precise_text(scene.draft.now)}
        status["canary"]["analysis"] = state
    return state


def _due(scene: Scene, analysis: Analysis, state: dict[str, Any]) -> datetime:
    """When the canary is to be looked at next."""
    before = state.get("checkedAt") or state.get("measuredSince")
    if before:
        return clock.from_text(before) + timedelta(seconds=analysis.interval_seconds)
    is_cold = not scene.draft.status.get("analysis")
    delay = analysis.initial_delay_seconds if is_cold else 0
    return clock.from_text(state["since"]) + timedelta(seconds=delay)


def _measure(scene: Scene, canary: Canary, analysis: Analysis) -> Measured:
    """What both versions answered in the last interval, and the numbers that Prometheus knows. Asked side by side."""
    new, old = _pods(scene, canary.version), _pods(scene, scene.settled_version)
    window = float(analysis.interval_seconds)
    values = _values(scene, canary, new, old) | {"window_seconds": str(analysis.interval_seconds)}
    queries = {
        metric.name: QueryPrometheus(_filled(metric.prometheus.query, values))
        for metric in analysis.metrics
        if metric.prometheus
    }
    comparison = _comparison(scene, canary, analysis, new, old)
    has_traffic = len(queries) + (comparison is not None) < len(analysis.metrics)
    questions = [MeasureTraffic(pods, window) for pods in (new, old) if has_traffic]
    asked = [*queries.values(), *([comparison] if comparison else [])]
    answers = scene.draft.ask_all([*questions, *asked])
    nothing = traffic.Traffic(0, 0, None, window)
    canarys, stables = answers[:2] if has_traffic else (nothing, nothing)
    by_metric = dict(zip(queries, answers[len(questions) :], strict=False))
    return Measured(canarys, stables, by_metric, answers[-1] if comparison else Compared(0, 0, window))


def _comparison(
    scene: Scene, canary: Canary, analysis: Analysis, new: tuple[PodAddress, ...], old: tuple[PodAddress, ...]
) -> CompareAnswers | None:
    """What is asked about predictions, where spec wants them compared."""
    metric = next((metric for metric in analysis.metrics if metric.builtin == "Disagreement"), None)
    if metric is None:
        return None
    key, tolerance = key_of(scene.draft.resource), float(metric.tolerance) if metric.tolerance else None
    return CompareAnswers(old, new, canary.version, key, float(analysis.interval_seconds), tolerance)


def _judged(scene: Scene, analysis: Analysis, state: dict[str, Any], measured: Measured) -> Trouble | None:
    """Write down what a check found; why the canary has to go, if it has to."""
    items = judgement.judge(analysis, measured, scene.draft.status.get("analysis") or [])
    scene.draft.status["analysis"] = items
    state["checkedAt"] = clock.to_precise_text(scene.draft.now)
    verdict = judgement.verdict(analysis, items)
    if verdict == "Pass":
        state["passed"] = True
        state.pop("heldSince", None)
    return Trouble(FAILED, judgement.what_failed(analysis, items)) if verdict == "Fail" else None


def _pods(scene: Scene, version: str | None) -> tuple[PodAddress, ...]:
    """The pods of a version that are to stay: while it is taken up, the stable predictor has pods of both."""
    found = (pod for pod in scene.draft.observed.pods if version_label(pod) == version)
    return traffic.addresses(pod for pod in found if not pod["metadata"].get("deletionTimestamp"))


def _values(scene: Scene, canary: Canary, new: tuple[PodAddress, ...], old: tuple[PodAddress, ...]) -> dict[str, str]:
    """What a query's placeholders stand for; lists of pods are regular expressions."""
    return {
        "namespace": scene.draft.namespace,
        "name": scene.draft.name,
        "model": scene.draft.spec.model.name,
        "version": canary.version,
        "canary_pods": "|".join(pod.name for pod in new) or _NO_POD,
        "stable_pods": "|".join(pod.name for pod in old) or _NO_POD,
    }


def _filled(query: str, values: dict[str, str]) -> str:
    """The query with its placeholders filled in."""
    for name in PLACEHOLDERS:
        query = query.replace(f"{{{{{name}}}}}", values[name])
    return query
