"""How a new version is measured while it takes part of the traffic."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.api.base import KubeModel, keyed_by, rule, rules

BuiltinMetric = Literal["ErrorRate", "LatencyP95Seconds", "Disagreement"]
Verdict = Literal["Pass", "Fail", "Inconclusive"]

PLACEHOLDERS = ("namespace", "name", "model", "version", "stable_pods", "canary_pods", "window_seconds")
"""What a query may name in double braces; filled in by the operator."""

_PATH = "spec.rollout.analysis"
DISAGREES = "has(m.builtin) && m.builtin == 'Disagreement'"
"""Of a metric m, in CEL: whether predictions are compared."""
_UNKNOWN_PLACEHOLDER = "self.query" + "".join(f".replace('{{{{{name}}}}}', '')" for name in PLACEHOLDERS)

Threshold = Annotated[str, Field(max_length=24, pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
"""A decimal as text, such as "0.01"."""


class PrometheusQuery(KubeModel):
    """A number that the administrator's Prometheus knows."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                f"!{_UNKNOWN_PLACEHOLDER}.contains('{{{{')",
                f"{_PATH}.metrics[].prometheus.query may name in double braces only {', '.join(PLACEHOLDERS)}",
            )
        )
    }

    query: Annotated[str, Field(min_length=1, max_length=2048)]
    """PromQL that gives one number; {{canary_pods}} and the like are filled in."""


class AnalysisMetric(KubeModel):
    """What is measured, and what is too much or too little."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "has(self.builtin) != has(self.prometheus)",
                f"{_PATH}.metrics[] needs exactly one of builtin and prometheus",
            ),
            rule(
                "!has(self.builtin) || (has(self.max) && !has(self.min))",
                f"{_PATH}.metrics[].builtin needs max, and no min: errors and latency are only ever too high",
            ),
            rule(
                "!has(self.prometheus) || has(self.min) || has(self.max)",
                f"{_PATH}.metrics[].prometheus needs min, max or both: without one it could never fail",
            ),
            rule(
                "!has(self.maxOverStable) || (has(self.builtin) && self.builtin != 'Disagreement')",
                f"{_PATH}.metrics[].maxOverStable is for ErrorRate and LatencyP95Seconds: a query compares by itself, "
                "and so does Disagreement",
            ),
            rule(
                "!has(self.tolerance) || (has(self.builtin) && self.builtin == 'Disagreement')",
                f"{_PATH}.metrics[].tolerance is for Disagreement, which compares predictions: leave it out",
            ),
            rule(
                "!has(self.tolerance) || self.tolerance.matches('^[0-9.]*[1-9][0-9.]*$')",
                f"{_PATH}.metrics[].tolerance has to be more than 0; leave it out where numbers have to be the same",
            ),
            rule(
                "!has(self.min) || !has(self.max) || !self.min.matches('^-?[0-9]+([.][0-9]+)?$') "
                "|| !self.max.matches('^-?[0-9]+([.][0-9]+)?$') || double(self.min) <= double(self.max)",
                f"{_PATH}.metrics[].min may not be above max: no value would pass",
            ),
            rule(
                "!has(self.builtin) || [has(self.max) ? self.max : '0', "
                "has(self.maxOverStable) ? self.maxOverStable : '0']"
                ".all(v, !v.startsWith('-') && (self.builtin == 'LatencyP95Seconds' "
                "|| !v.matches('^[0-9]+([.][0-9]+)?$') || double(v) <= 1.0))",
                f"{_PATH}.metrics[].max and maxOverStable may not be negative, and ErrorRate and Disagreement are "
                'shares: at most 1, as in "0.01"',
            ),
        )
    }

    name: Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Names it in status and messages."""
    builtin: BuiltinMetric | None = None
    """The share of predictions answered 4xx or 5xx, the time that 95 % of them stay under, or, of a Shadow, the share
    that the stable version predicted otherwise for the same requests."""
    prometheus: PrometheusQuery | None = None
    """Asked of the Prometheus that the administrator named."""
    min: Threshold | None = None
    """A lower value fails."""
    max: Threshold | None = None
    """A higher value fails; an error rate's and a latency's only where it is also worse than the stable version's."""
    max_over_stable: Threshold | None = None
    """How much worse than the stable version's it may be: 0 for ErrorRate, a tenth of the stable one's for latency."""
    tolerance: Annotated[str | None, Field(max_length=24, pattern=r"^[0-9]{1,15}(\.[0-9]{1,9})?$")] = None
    """Of Disagreement: numbers that differ by no more count as the same; left out, only floating-point noise."""


class Analysis(KubeModel):
    """What a new version is judged by while it takes traffic."""

    interval_seconds: Annotated[int, Field(ge=5, le=3600)] = 15
    """The time between two checks, and the window that each of them looks at."""
    initial_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """How long the first traffic is left out: a server is slow while it is cold."""
    failure_limit: Annotated[int, Field(ge=1, le=100)] = 1
    """How many failed checks of one metric end the rollout."""
    min_samples: Annotated[int, Field(ge=1, le=1000000)] = 100
    """Predictions that a window needs; with fewer a check is Inconclusive: neither passed nor failed."""
    metrics: Annotated[
        list[AnalysisMetric],
        Field(
            min_length=1,
            max_length=10,
            json_schema_extra=keyed_by("name")
            | rules(
                rule(
                    f"self.filter(m, {DISAGREES}).size() < 2",
                    f"{_PATH}.metrics may hold one Disagreement: predictions are compared by one tolerance",
                )
            ),
        ),
    ]
    """What is measured; a check passes when all of them do."""


class AnalysisResult(KubeModel):
    """What the last check of one metric found."""

    name: Annotated[str, Field(max_length=63)]
    """The metric."""
    result: Verdict
    """Pass, Fail or Inconclusive."""
    value: Annotated[str | None, Field(max_length=32)] = None
    """The new version's."""
    stable_value: Annotated[str | None, Field(max_length=32)] = None
    """The stable version's in the same window, where it was compared."""
    threshold: Annotated[str, Field(max_length=64)]
    """What spec says is too much or too little."""
    samples: int | None = None
    """Predictions of the new version in the window; of Disagreement those that both made."""
    stable_samples: int | None = None
    """Predictions of the stable version in the same window."""
    failures: int = 0
    """Checks of this rollout that failed."""
    message: Annotated[str | None, Field(max_length=512)] = None
    """Why, for a person."""
