"""Judges a new version by what it and the stable one answered in the same window. Pure: numbers in, verdicts out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api.analysis import Analysis, AnalysisMetric, Verdict
from modelyard.core.conditions import in_bytes, shorten
from modelyard.core.disagreement import Compared
from modelyard.core.model_deployment.chance import is_above, is_beyond_chance
from modelyard.core.plan import Failure
from modelyard.core.traffic import Traffic

LATENCY_SHARE_OVER_STABLE = 0.1
"""How much longer than the stable one's a latency may be that spec says nothing of: buckets tell it no better."""

_MESSAGE_LIMIT = 512
_NOT_COMPARED = Compared(0, 0, 0.0)

Number = float | Failure | None
"""What a Prometheus answered; None where it has no sample."""


@dataclass(frozen=True)
class Measured:
    """What one check has to judge."""

    canary: Traffic | Failure
    stable: Traffic | Failure
    numbers: Mapping[str, Number]
    """The answers to queries, by metric."""
    compared: Compared | Failure = _NOT_COMPARED
    """Predictions of both for the same requests."""


@dataclass(frozen=True)
class Finding:
    """What is found of one metric in one window."""

    result: Verdict
    message: str
    value: float | None = None
    stable_value: float | None = None
    samples: int | None = None
    stable_samples: int | None = None


def judge(analysis: Analysis, measured: Measured, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items of status.analysis after this check, with the failures of earlier ones counted on."""
    counted = {item["name"]: item.get("failures") or 0 for item in before}
    return [
        _item(metric, finding, counted.get(metric.name, 0) + (finding.result == "Fail"))
        for metric in analysis.metrics
        for finding in [_find(metric, analysis.min_samples, measured)]
    ]


def verdict(analysis: Analysis, items: Iterable[Mapping[str, Any]]) -> Verdict:
    """Fail once a metric has failed too often, Pass when all passed this time, else Inconclusive."""
    found = list(items)
    if any(item["failures"] >= analysis.failure_limit for item in found):
        return "Fail"
    return "Pass" if all(item["result"] == "Pass" for item in found) else "Inconclusive"


def what_failed(analysis: Analysis, items: Iterable[Mapping[str, Any]]) -> str:
    """The metrics that ended the rollout, with value and threshold."""
    failed = [item for item in items if item["failures"] >= analysis.failure_limit]
    return "; ".join(f"{item['name']}: {item.get('message', '')}" for item in failed)


def what_is_missing(items: Iterable[Mapping[str, Any]]) -> str:
    """Why a check did not pass."""
    return "; ".join(f"{item['name']}: {item.get('message', '')}" for item in items if item["result"] != "Pass")


def threshold_of(metric: AnalysisMetric) -> str:
    """What spec says is too much or too little, as status shows it."""
    bounds = (f">= {metric.min}" if metric.min else "", f"<= {metric.max}" if metric.max else "")
    return " and ".join(bound for bound in bounds if bound)


def _item(metric: AnalysisMetric, finding: Finding, failures: int) -> dict[str, Any]:
    """An item of status.analysis."""
    told = {
        "name": metric.name,
        "result": finding.result,
        "value": _text(finding.value),
        "stableValue": _text(finding.stable_value),
        "threshold": threshold_of(metric),
        "samples": finding.samples,
        "stableSamples": finding.stable_samples,
        "failures": failures,
        "message": in_bytes(shorten(finding.message, _MESSAGE_LIMIT), _MESSAGE_LIMIT),
    }
    return {name: value for name, value in told.items() if value is not None}


def _find(metric: AnalysisMetric, min_samples: int, measured: Measured) -> Finding:
    """What is found of one metric."""
    if metric.prometheus is not None:
        return _of_number(metric, measured.numbers.get(metric.name))
    if metric.builtin == "Disagreement":
        return _of_answers(metric, min_samples, measured.compared)
    if isinstance(measured.canary, Failure):
        return Finding("Inconclusive", measured.canary.message)
    return _of_traffic(metric, min_samples, measured.canary, measured.stable)


def _of_number(metric: AnalysisMetric, number: Number) -> Finding:
    """A number from Prometheus against its bounds; what is none is neither too much nor too little."""
    if isinstance(number, Failure):
        return Finding("Inconclusive", number.message)
    if number is None:
        return Finding("Inconclusive", "the query gave no sample")
    if math.isnan(number):
        return Finding("Inconclusive", "the query gave NaN: a share of nothing, most often")
    is_low = metric.min is not None and number < float(metric.min)
    is_high = metric.max is not None and number > float(metric.max)
    if is_low or is_high:
        return Finding("Fail", f"{_text(number)} is not {threshold_of(metric)}", number)
    return Finding("Pass", f"{_text(number)} is {threshold_of(metric)}", number)


def _of_traffic(metric: AnalysisMetric, min_samples: int, canary: Traffic, stable: Traffic | Failure) -> Finding:
    """A predictor's error rate or latency: too high by itself, and worse than the stable one's."""
    if canary.requests < min_samples:
        said = f"{canary.requests} predictions in {canary.window_seconds:.0f} s, minSamples is {min_samples}"
        return Finding("Inconclusive", said, samples=canary.requests)
    value = _value(metric, canary)
    if value is None:
        return Finding("Inconclusive", "the server tells no latency", samples=canary.requests)
    if value <= float(metric.max or 0):
        return _below(metric, value, canary, stable)
    if isinstance(stable, Failure):
        said = f"{_text(value)} is not {threshold_of(metric)}, and the stable version's is not known: {stable.message}"
        return Finding("Inconclusive", said, value, samples=canary.requests)
    return _compared(metric, value, canary, stable if stable.requests >= min_samples else None)


def _of_answers(metric: AnalysisMetric, min_samples: int, compared: Compared | Failure) -> Finding:
    """How often the new version predicted otherwise than the stable one: too often, beyond what chance explains."""
    if isinstance(compared, Failure):
        return Finding("Inconclusive", compared.message)
    pairs, differing = compared.pairs, compared.differing
    if pairs < min_samples:
        return Finding("Inconclusive", _too_few(compared, min_samples), samples=pairs)
    share, limit = differing / pairs, float(metric.max or 0)
    said = f"{differing} of {pairs} predictions differ from the stable version's"
    if is_above(differing, pairs, limit):
        return Finding("Fail", f"{said}: {_text(share)} is not {threshold_of(metric)}", share, samples=pairs)
    if share > limit:
        doubt = f"{said}: {_text(share)} is not {threshold_of(metric)}, but so few may be chance; more traffic tells"
        return Finding("Inconclusive", doubt, share, samples=pairs)
    if compared.unread:
        unread = f"{said}, and {compared.unread} of the new version's pods cannot be read"
        return Finding("Inconclusive", unread, share, samples=pairs)
    return Finding("Pass", said, share, samples=pairs)


def _too_few(compared: Compared, min_samples: int) -> str:
    """How many there are, and how many there would be if both had been told of."""
    said = f"{compared.pairs} predictions of both versions for the same requests in {compared.window_seconds:.0f} s"
    without = f", of {compared.told} answers of the new version" if compared.told else ""
    return f"{said}{without}; minSamples is {min_samples}"


def _below(metric: AnalysisMetric, value: float, canary: Traffic, stable: Traffic | Failure) -> Finding:
    """Nothing is wrong with what was read; a pod that was not read may have answered otherwise."""
    others = None if isinstance(stable, Failure) else _value(metric, stable)
    counted = None if isinstance(stable, Failure) else stable.requests
    if canary.unread:
        said = f"{canary.unread} of the new version's pods cannot be read"
        return Finding("Inconclusive", said, value, others, canary.requests, counted)
    return Finding("Pass", f"{_text(value)} is {threshold_of(metric)}", value, others, canary.requests, counted)


def _compared(metric: AnalysisMetric, value: float, canary: Traffic, stable: Traffic | None) -> Finding:
    """Too high: the new version's fault, unless the stable one does no better with the same clients."""
    others = _value(metric, stable) if stable else None
    if stable is None or others is None:
        said = f"{_text(value)} is not {threshold_of(metric)}; the stable version has too little traffic to compare"
        return Finding("Fail", said, value, samples=canary.requests)
    said = f"{_text(value)} is not {threshold_of(metric)}; the stable version has {_text(others)} in the same window"
    if _is_worse(metric, canary, stable):
        return Finding("Fail", said, value, others, canary.requests, stable.requests)
    return Finding("Pass", f"{said}: no worse", value, others, canary.requests, stable.requests)


def _is_worse(metric: AnalysisMetric, canary: Traffic, stable: Traffic) -> bool:
    """Whether the new version does worse than the stable one in the same window, by more than spec allows."""
    if metric.builtin == "ErrorRate":
        margin = float(metric.max_over_stable or 0)
        return is_beyond_chance(canary.errors, canary.requests, stable.errors, stable.requests, margin)
    latency, others = canary.latency_p95_seconds or 0.0, stable.latency_p95_seconds or 0.0
    margin = LATENCY_SHARE_OVER_STABLE * others if metric.max_over_stable is None else float(metric.max_over_stable)
    return latency - others > margin


def _value(metric: AnalysisMetric, traffic: Traffic) -> float | None:
    """The value of a builtin metric."""
    if metric.builtin == "LatencyP95Seconds":
        return traffic.latency_p95_seconds
    return traffic.errors / traffic.requests if traffic.requests else None


def _text(number: float | None) -> str | None:
    """A number as status shows it: four digits say enough."""
    return None if number is None else f"{number:.4g}"
