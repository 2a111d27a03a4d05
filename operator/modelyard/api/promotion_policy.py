"""PromotionPolicy: says when a version may become what an alias points at."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.base import Condition, Kind, KubeModel, PrinterColumn, keyed_by, rule, rules
from modelyard.api.gates import Gates
from modelyard.api.promotion import TargetAlias
from modelyard.api.registry import Alias, ModelName, VersionNumber


class PolicyModel(KubeModel):
    """The model whose versions are promoted."""

    name: Annotated[
        ModelName,
        Field(
            json_schema_extra=rules(
                rule(
                    "self == oldSelf",
                    "spec.model.name cannot change: make a second PromotionPolicy for the other model",
                )
            )
        ),
    ]
    """The registered model."""


class CandidateAlias(KubeModel):
    """Which versions are looked at."""

    alias: Alias = "candidate"
    """The alias of candidates, whoever sets it: a TrainingJob, a notebook, CI."""


class GovernedAlias(TargetAlias):
    """The alias that moves to a version that passes, and what to do when somebody else moves it."""

    on_manual_move: Literal["Report", "Revert"] = "Report"
    """What to do when the alias points elsewhere than at the version of its last Promotion: say so, or move it back."""


class RequiredApproval(KubeModel):
    """Whether a person has to agree."""

    required: bool = False
    """Whether each Promotion waits until a person approves it."""


class PromotionPolicySpec(KubeModel):
    """Which versions are looked at, and what they have to show."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "self.candidate.alias != self.target.alias",
                "spec.target.alias must be another alias than spec.candidate.alias: one moves because of the other",
            ),
            rule(
                "self.target.alias == oldSelf.target.alias",
                "spec.target.alias cannot change: make a second PromotionPolicy for the other alias",
            ),
        )
    }

    model: PolicyModel
    """The model whose versions are promoted."""
    candidate: CandidateAlias = CandidateAlias()
    """Which versions are looked at."""
    target: GovernedAlias = GovernedAlias()
    """The alias that moves to a version that passes."""
    gates: Gates = None
    """What a version has to show; nothing when left out."""
    approval: RequiredApproval = RequiredApproval()
    """Whether a person has to agree."""
    suspend: bool = False
    """Make no Promotions, and let those that are open wait."""
    history_limit: Annotated[int, Field(ge=0, le=1000)] = 10
    """How many Promotions that are over are kept, besides those of the candidate and of what the alias points at."""


class CandidateStatus(KubeModel):
    """What the candidate alias points at."""

    version: VersionNumber
    """The version."""


class ChampionStatus(KubeModel):
    """What the target alias points at."""

    version: VersionNumber
    """The version."""
    since: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """Since when: when it was promoted, else when it was first seen."""


class LastPromotion(KubeModel):
    """The candidate's Promotion."""

    name: str
    """The object's name."""
    version: VersionNumber
    """The version."""
    result: str | None = None
    """How it stands: its column RESULT."""


class PromotionPolicyStatus(KubeModel):
    """How it stands."""

    observed_generation: int | None = None
    """The generation of spec that this status speaks of."""
    conditions: Annotated[list[Condition] | None, Field(json_schema_extra=keyed_by("type"))] = None
    """Ready, Conflict; Reconciling and Stalled while they are true."""
    candidate: CandidateStatus | None = None
    """What the candidate alias points at."""
    champion: ChampionStatus | None = None
    """What the target alias points at."""
    last_promotion: LastPromotion | None = None
    """The candidate's Promotion."""


LONGEST_NAME = 40
"""So that `<name>-<version>` is a Promotion's name."""


class PromotionPolicy(Kind):
    """Promotes each version that an alias marks as a candidate, if it passes the gates."""

    kind_name: ClassVar[str] = "PromotionPolicy"
    plural: ClassVar[str] = "promotionpolicies"
    short_names: ClassVar[tuple[str, ...]] = ("pp",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn(name="Ready", json_path=".status.conditions[?(@.type=='Ready')].status"),
        PrinterColumn(name="Reason", json_path=".status.conditions[?(@.type=='Ready')].reason"),
        PrinterColumn(name="Model", json_path=".spec.model.name"),
        PrinterColumn(name="Candidate", json_path=".status.candidate.version"),
        PrinterColumn(name="Champion", json_path=".status.champion.version"),
        PrinterColumn(name="Last", json_path=".status.lastPromotion.result"),
        PrinterColumn(name="Age", json_path=".metadata.creationTimestamp", type="date"),
        PrinterColumn(name="Promotion", json_path=".status.lastPromotion.name", priority=1),
        PrinterColumn(name="Message", json_path=".status.conditions[?(@.type=='Ready')].message", priority=1),
    )
    rules: ClassVar[tuple[dict[str, str], ...]] = (
        rule(
            "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') "
            f"&& size(self.metadata.name) <= {LONGEST_NAME}",
            f"metadata.name must be at most {LONGEST_NAME} lower-case letters, digits and '-': "
            "Promotions are named after it",
        ),
    )

    spec: PromotionPolicySpec
    """Which versions are looked at, and what they have to show."""
    status: PromotionPolicyStatus | None = None
    """How it stands."""
