"""How a ModelDeployment takes up a new version: spec.rollout and spec.rollback."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.api.analysis import DISAGREES, Analysis
from modelyard.api.base import KubeModel, rule, rules


class Pause(KubeModel):
    """A wait at the weight of the step before."""

    seconds: Annotated[int | None, Field(ge=1, le=604800)] = None
    """How long; left out, until the annotation modelyard.io/resume names the version."""


class Step(KubeModel):
    """One step of a canary."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "has(self.setWeight) != has(self.pause)",
                "spec.rollout.steps: each step has exactly one of setWeight and pause; write two steps for both",
            )
        )
    }

    set_weight: Annotated[int | None, Field(ge=1, le=100)] = None
    """Percent of the traffic that the canary gets from now on."""
    pause: Pause | None = None
    """Wait."""


_WEIGHTS = "self.steps.filter(s, has(s.setWeight)).map(s, s.setWeight)"


class Rollout(KubeModel):
    """How a new version is taken up."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "(self.strategy != 'RollingUpdate') == (has(self.steps) && size(self.steps) > 0)",
                "spec.rollout.steps belong to strategies Canary and Shadow, which need them: add or remove them",
            ),
            rule(
                "self.withoutRoute == 'SplitReplicas' || self.strategy == 'Canary'",
                "spec.rollout.withoutRoute belongs to strategy Canary, the one that splits traffic: leave it out",
            ),
            rule(
                "has(self.mirrorPercent) ? self.strategy == 'Shadow' : true",
                "spec.rollout.mirrorPercent belongs to strategy Shadow: leave it out",
            ),
            rule(
                "self.strategy != 'Shadow' || !has(self.steps) || !self.steps.exists(s, has(s.setWeight))",
                "spec.rollout.steps: a Shadow answers no client, so that setWeight has no meaning: use pauses alone",
            ),
            rule(
                "self.strategy == 'RollingUpdate' || self.surge != 'Forbid'",
                "spec.rollout.surge cannot be Forbid with strategy Canary or Shadow, which need a further pod: "
                "use RollingUpdate",
            ),
            rule(
                "self.strategy != 'Canary' || !has(self.steps) || self.steps.size() == 0 "
                "|| has(self.steps[0].setWeight)",
                "spec.rollout.steps has to begin with setWeight: before it the canary has no traffic to wait for",
            ),
            rule(
                f"!has(self.steps) || {_WEIGHTS}.isSorted()",
                "spec.rollout.steps: a setWeight may not be below the one before it; put the steps in rising order",
            ),
            rule(
                "!has(self.analysis) || self.strategy != 'RollingUpdate'",
                "spec.rollout.analysis judges a share of the traffic: set strategy to Canary or Shadow, or remove it",
            ),
            rule(
                f"!has(self.analysis) || self.strategy != 'Canary' || !self.analysis.metrics.exists(m, {DISAGREES})",
                "spec.rollout.analysis.metrics[].builtin Disagreement belongs to strategy Shadow, where both versions "
                "get the same requests: a canary and the stable version answer different ones",
            ),
        )
    }

    strategy: Literal["RollingUpdate", "Canary", "Shadow"] = "RollingUpdate"
    """RollingUpdate: new pods replace the old ones. Canary: the version gets a growing share of the traffic first.
    Shadow: it gets copies of requests first, and its answers go nowhere."""
    surge: Literal["Allow", "Forbid"] = "Allow"
    """Allow: a new pod is ready before an old one goes. Forbid, where there is no room: an old pod goes first."""
    steps: Annotated[list[Step] | None, Field(max_length=30)] = None
    """What a canary or shadow does before it is taken up, in this order."""
    mirror_percent: Annotated[int | None, Field(ge=1, le=100)] = None
    """Percent of the requests that a Shadow gets copies of; all of them when left out."""
    without_route: Literal["SplitReplicas", "Refuse"] = "SplitReplicas"
    """Where no Gateway splits: SplitReplicas lets the number of pods do it, roughly; Refuse begins no canary."""
    analysis: Analysis | None = None
    """What the new version is judged by while it takes traffic; left out, nothing is measured."""


class Rollback(KubeModel):
    """What becomes of a version that failed."""

    skip_failed_versions: bool = True
    """A version that failed is not tried again; false tries it again after progressDeadlineSeconds."""
    move_alias_back: bool = False
    """Once the pods are back at the version before, the alias in MLflow moves back too, if nobody moved it since."""
