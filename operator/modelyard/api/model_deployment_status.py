"""What a ModelDeployment's status holds."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.api.analysis import AnalysisResult
from modelyard.api.base import Condition, KubeModel, keyed_by
from modelyard.api.registry import VersionNumber

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class StableVersion(KubeModel):
    """The version that serves."""

    version: VersionNumber
    """The registered model's version."""
    run_id: Annotated[str | None, Field(alias="runID")] = None
    """The MLflow run that made it."""
    training_job: str | None = None
    """The TrainingJob that made it, as <namespace>/<name>."""
    digest: str | None = None
    """SHA-256 over its files, where its pods were told to check them against one."""
    since: Time | None = None
    """Since when it serves."""
    weight: int | None = None
    """Percent of the traffic that it gets."""


class CanaryAnalysis(KubeModel):
    """How far the analysis has come at a share of the traffic."""

    share: int
    """The share, or that of the copies, in percent."""
    since: Time
    """Since when the canary has it."""
    measured_since: Time | None = None
    """When measuring began, once initialDelaySeconds were over."""
    checked_at: Time | None = None
    """When it was last checked."""
    passed: bool | None = None
    """Whether a check at this share passed."""
    held_since: Time | None = None
    """Since when only the analysis keeps a step from going on; there only then."""


class CanaryVersion(KubeModel):
    """The version that is being tried on a part of the traffic."""

    version: VersionNumber
    """The registered model's version."""
    phase: Literal["Stepping", "Promoting", "Finishing", "Leaving"]
    """Stepping through spec.rollout.steps; Promoting: the stable pods become it; Finishing and Leaving: it goes."""
    weight: int
    """Percent of the traffic that it gets."""
    mirror_percent: int | None = None
    """Percent of the requests that it gets copies of; there only then."""
    step: int
    """The step under way, 1 for the first."""
    step_started_at: Time
    """When that step began."""
    started_at: Time
    """When the rollout began."""
    waiting_since: Time | None = None
    """Since when its pods are waited for; there only then."""
    steps_digest: str | None = None
    """Names the steps it goes by; other ones begin anew."""
    analysis: CanaryAnalysis | None = None
    """How far the analysis has come."""


class RefusedVersion(KubeModel):
    """A version that failed and is not tried again."""

    version: VersionNumber
    """The registered model's version."""
    reason: Annotated[str, Field(max_length=64)]
    """Why, in one CamelCase word."""
    message: Annotated[str | None, Field(max_length=1024)] = None
    """Why, for a person."""
    time: Time
    """When."""
    spec_digest: str | None = None
    """Names the spec that it failed with; with another one it may be tried again."""
    retry: str | None = None
    """The annotation modelyard.io/retry when it failed; another value tries it again."""


class Rolled(KubeModel):
    """A rollout that is over."""

    version: VersionNumber
    """The version it was about."""
    outcome: Literal["Promoted", "RolledBack", "Refused", "Superseded"]
    """Promoted: it serves. RolledBack: it failed. Refused: it never began. Superseded: another one was wanted."""
    reason: Annotated[str | None, Field(max_length=64)] = None
    """Why, in one CamelCase word."""
    started_at: Time | None = None
    """When it began."""
    finished_at: Time
    """When it was over."""


class CheckedVersion(KubeModel):
    """What came of looking at a version before it starts; kept, because a version's files never change."""

    version: VersionNumber
    """The version."""
    digest: str
    """Names what was looked at: the version, the image and what is known of it."""
    against: VersionNumber | None = None
    """The version that served then, whose signature it was compared with."""
    verdict: Annotated[str, Field(json_schema_extra={"enum": ["Passed", "Warned", "Refused"]})]
    """Passed, Warned or Refused; the condition Compatible says why."""
    example: Annotated[str | None, Field(max_length=700)] = None
    """The file with the request that it is tried with."""
    smoke_test: Annotated[str | None, Field(json_schema_extra={"enum": ["Passed", "Skipped"]})] = None
    """Passed, or Skipped where the request cannot be read or the server does not take its form."""


class BackendRef(KubeModel):
    """The object that runs the servers."""

    api_version: str
    """Its API version."""
    kind: str
    """Its kind."""
    name: str
    """Its name."""
    uid: str | None = None
    """Its UID."""


class Progress(KubeModel):
    """A switch from one version to another."""

    version: VersionNumber
    """The version that is being taken up."""
    generation: int | None = None
    """The generation of spec it was begun with; an edit of spec begins it anew."""
    started_at: Time
    """When it began."""


class ModelDeploymentStatus(KubeModel):
    """What is served."""

    observed_generation: int | None = None
    """The generation of spec that this status speaks of."""
    conditions: Annotated[list[Condition] | None, Field(json_schema_extra=keyed_by("type"))] = None
    """Ready, Progressing, ModelResolved, Compatible, Degraded, TrafficSplit, Autoscaled; Reconciling, Stalled."""
    url: str | None = None
    """Where predictions are answered: through the Gateway once that takes the route, else in the cluster."""
    cluster_url: Annotated[str | None, Field(alias="clusterURL")] = None
    """With a route: where predictions are answered in the cluster, whatever the Gateway does."""
    replicas: int | None = None
    """Pods of the stable version that exist."""
    available_replicas: int | None = None
    """Pods of the stable version that serve."""
    selector: str | None = None
    """Selects the pods of the stable version, for kubectl scale and autoscalers."""
    stable: StableVersion | None = None
    """The version that serves."""
    canary: CanaryVersion | None = None
    """The version that is being tried on a part of the traffic."""
    analysis: Annotated[list[AnalysisResult] | None, Field(json_schema_extra=keyed_by("name"))] = None
    """What the last check of the newest rollout found, by metric."""
    desired_version: VersionNumber | None = None
    """What the alias or spec says now."""
    checked: CheckedVersion | None = None
    """What came of looking at the desired version before it starts."""
    progress: Progress | None = None
    """The switch under way."""
    refused_versions: list[RefusedVersion] | None = None
    """Versions that failed, the newest 10."""
    history: list[Rolled] | None = None
    """Rollouts that are over, the newest spec.revisionHistoryLimit, oldest first."""
    backend_ref: BackendRef | None = None
    """The object that runs the servers."""
