"""Promotion: the record of one version on its way to an alias."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.base import Condition, Kind, KubeModel, PrinterColumn, keyed_by, rule, rules
from modelyard.api.gates import Gates
from modelyard.api.registry import Alias, ModelName, VersionNumber


class PromotedVersion(KubeModel):
    """The version that is to be promoted."""

    name: ModelName
    """The registered model."""
    version: VersionNumber
    """Its version."""


class TargetAlias(KubeModel):
    """The alias that is to point at the version."""

    alias: Alias = "champion"
    """The alias."""


class Approval(KubeModel):
    """Who has to agree, and who did."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "!has(self.decision) || has(self.by)",
                "spec.approval.by is needed with spec.approval.decision: say who decides",
            ),
            rule(
                "self.required == oldSelf.required",
                "spec.approval.required cannot change: delete the Promotion and make another one",
            ),
            rule(
                "!has(oldSelf.decision) || self == oldSelf",
                "spec.approval.decision cannot change once it is made, nor can by and comment: make another Promotion",
            ),
        )
    }

    required: bool = False
    """Whether a person has to approve before the alias moves."""
    decision: Literal["Approved", "Rejected"] | None = None
    """What was decided; final."""
    by: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """Who decided."""
    comment: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """Why."""


def _fixed(field: str) -> dict[str, str]:
    """The rule that a part of spec never changes."""
    return rule(
        f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})",
        f"spec.{field} cannot change, the record stays as it is: make another Promotion",
    )


class PromotionSpec(KubeModel):
    """Which version is to be promoted, and what it has to show; only approval's decision is added later."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(*(_fixed(field) for field in ("model", "target", "gates", "policy")))
    }

    model: PromotedVersion
    """The version that is to be promoted."""
    target: TargetAlias
    """The alias that is to point at it."""
    gates: Gates = None
    """What the version has to show; nothing when left out, as for a roll-back."""
    approval: Approval = Approval()
    """Who has to agree, and who did."""
    policy: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The PromotionPolicy of this namespace that made it; the operator sets it."""


class GateResult(KubeModel):
    """What a gate showed."""

    name: str
    """The gate."""
    metric: str
    """Its metric."""
    dataset: str | None = None
    """What it was measured on, where MLflow tells it."""
    value: Annotated[str | None, Field(max_length=64)] = None
    """What was measured of the version; NaN and Infinity are written out."""
    baseline: Annotated[str | None, Field(max_length=64)] = None
    """What was measured of the version that the alias pointed at, for comparisons."""
    threshold: Annotated[str, Field(max_length=64)]
    """What was asked for: ">= 0.9"."""
    result: Literal["Passed", "Failed", "Error", "Skipped"]
    """Passed, Failed, Error (it could not be judged, which fails too) or Skipped (nothing to compare with)."""
    message: Annotated[str | None, Field(max_length=512)] = None
    """What is known beyond that."""


class PromotionStatus(KubeModel):
    """What became of it."""

    observed_generation: int | None = None
    """The generation of spec that this status speaks of."""
    conditions: Annotated[list[Condition] | None, Field(json_schema_extra=keyed_by("type"))] = None
    """Complete, Failed, GatesPassed, Approved, Promoted, Recorded; Reconciling and Stalled while they are true."""
    gates: Annotated[list[GateResult] | None, Field(max_length=20, json_schema_extra=keyed_by("name"))] = None
    """What each gate showed when it was judged."""
    previous_version: VersionNumber | None = None
    """What the alias pointed at when the gates were judged."""
    digest: Annotated[str | None, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None
    """SHA-256 over the version's files; what serves it is checked against it."""
    by: Annotated[str | None, Field(max_length=300)] = None
    """Who promotes: who decided, else the policy, else the program that made the object."""
    promoted_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When the alias pointed at the version."""
    completion_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When it was over, for good or bad."""


LONGEST_NAME = 52
"""So that `<name>-<8 digits>-1` has at most the 63 characters of a label's value."""


class Promotion(Kind):
    """Moves an alias to one version, once, if the version passes its gates; stays as the record of it."""

    kind_name: ClassVar[str] = "Promotion"
    plural: ClassVar[str] = "promotions"
    short_names: ClassVar[tuple[str, ...]] = ("prom",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn(name="Model", json_path=".spec.model.name"),
        PrinterColumn(name="Version", json_path=".spec.model.version"),
        PrinterColumn(name="From", json_path=".status.previousVersion"),
        PrinterColumn(name="To", json_path=".spec.target.alias"),
        PrinterColumn(name="Result", json_path=".status.conditions[?(@.type=='Complete')].reason"),
        PrinterColumn(name="By", json_path=".status.by"),
        PrinterColumn(name="Age", json_path=".metadata.creationTimestamp", type="date"),
        PrinterColumn(name="Digest", json_path=".status.digest", priority=1),
        PrinterColumn(name="Message", json_path=".status.conditions[?(@.type=='Complete')].message", priority=1),
    )
    rules: ClassVar[tuple[dict[str, str], ...]] = (
        rule(
            "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') "
            f"&& size(self.metadata.name) <= {LONGEST_NAME}",
            f"metadata.name must be at most {LONGEST_NAME} lower-case letters, digits and '-': a pod is named after it",
        ),
    )

    spec: PromotionSpec
    """Which version is to be promoted, and what it has to show."""
    status: PromotionStatus | None = None
    """What became of it."""
