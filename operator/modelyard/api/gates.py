"""What a version has to show before an alias moves to it, and who has to agree: shared by both kinds of promotion."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.api.base import KubeModel, keyed_by, rule, rules

_DIGITS = r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?$"

Decimal = Annotated[str, Field(min_length=1, max_length=40, pattern="^-?" + _DIGITS)]
"""A number in quotes: "0.93"."""

Distance = Annotated[str, Field(min_length=1, max_length=40, pattern="^" + _DIGITS)]
"""A number in quotes that is not negative."""

MetricName = Annotated[str, Field(min_length=1, max_length=250, pattern=r"^[A-Za-z0-9_./ :-]+$")]
"""A metric as MLflow allows its name."""

_COMPARED = "has(self.maxRegression) || has(self.minImprovement)"


class Gate(KubeModel):
    """One thing that a version has to show."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "[has(self.min), has(self.max), has(self.maxRegression), has(self.minImprovement)]"
                ".filter(given, given).size() == 1",
                "spec.gates: a gate needs exactly one of min, max, maxRegression and minImprovement; "
                "for two, write two gates",
            ),
            rule(
                f"self.goal == 'Maximize' || {_COMPARED}",
                "spec.gates: goal says which way a comparison goes: remove it from a gate with min or max",
            ),
        )
    }

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Names the gate in status and in the version's tags."""
    metric: MetricName
    """The metric: of the logged model, or else of its run."""
    dataset: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    """Only what was measured on this dataset, by its name in MLflow; needed where there are several."""
    min: Decimal | None = None
    """The least that passes."""
    max: Decimal | None = None
    """The most that passes."""
    max_regression: Distance | None = None
    """How much worse than the version that the target alias points at it may be, in units of the metric."""
    min_improvement: Distance | None = None
    """How much better than that version it has to be, in units of the metric."""
    goal: Literal["Maximize", "Minimize"] = "Maximize"
    """Whether more of the metric is better (Maximize) or less (Minimize), as for an error: for comparisons."""


Gates = Annotated[list[Gate] | None, Field(max_length=20, json_schema_extra=keyed_by("name"))]
"""All of them have to pass."""
