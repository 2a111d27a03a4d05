"""What is told of a TrainingJob: its status."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.api.base import Condition, KubeModel, keyed_by
from modelyard.api.registry import ModelName, VersionNumber


class Attempt(KubeModel):
    """One attempt: one Job, one run."""

    number: int
    """1 for the first."""
    job: str
    """The Job's name."""
    run_id: Annotated[str | None, Field(alias="runID")] = None
    """The MLflow run."""
    run_status: Literal["FINISHED", "FAILED", "KILLED", "UNKNOWN", "NONE"] | None = None
    """What the run was ended as; none until it is, UNKNOWN where MLflow refused, NONE where the code started none (see
    the condition Tracked)."""
    reason: str | None = None
    """How it ended: Succeeded, Error, OOMKilled, Suspended …; none while it runs."""
    exit_code: int | None = None
    """The exit code of the trainer, or of the container that failed."""
    message: Annotated[str | None, Field(max_length=1024)] = None
    """What is known beyond the reason."""
    container: str | None = None
    """Which container failed, where it was not the trainer."""
    memory: str | None = None
    """The trainer's memory limit, with spec.retry.onOutOfMemory."""
    ending: str | None = None
    """Why its pod is being taken away, while that is going on; PendingDeadlineExceeded stays."""
    trouble: str | None = None
    """What it waited for, while its pod is being taken away for that."""
    active_seconds: int | None = None
    """How long its containers ran, where it did not succeed."""
    pod: str | None = None
    """Its pod's name."""
    node: str | None = None
    """Where its pod ran."""
    image_id: Annotated[str | None, Field(alias="imageID", max_length=1024)] = None
    """The image that ran, by its digest, as the node told it."""
    start_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When its Job was made."""
    completion_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When its pod ended."""


class TrackingStatus(KubeModel):
    """Where the newest attempt is tracked."""

    experiment_id: Annotated[str | None, Field(alias="experimentID")] = None
    """The MLflow experiment."""
    run_id: Annotated[str | None, Field(alias="runID")] = None
    """The MLflow run."""
    url: str | None = None
    """The run's page, where the operator was told of one."""


class MetricValue(KubeModel):
    """One mirrored metric."""

    name: str
    """Its name."""
    value: str
    """Its latest value; NaN and Infinity are written out."""
    step: int
    """The step of that value."""


class ModelVersionStatus(KubeModel):
    """The version that this job made."""

    name: ModelName
    """The registered model."""
    version: VersionNumber
    """Its version."""
    model_id: Annotated[str | None, Field(alias="modelID")] = None
    """The logged model."""


class TrainingJobStatus(KubeModel):
    """What happened."""

    observed_generation: int | None = None
    """The generation of spec that this status speaks of."""
    conditions: Annotated[list[Condition] | None, Field(json_schema_extra=keyed_by("type"))] = None
    """Complete, Failed, Suspended, Tracked, Registered; Reconciling and Stalled while they are true."""
    start_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When the first attempt began."""
    completion_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When it was over, for good or bad."""
    attempt: int | None = None
    """The newest attempt's number."""
    failures: int | None = None
    """Attempts that count against retry.limit."""
    active_seconds: int | None = None
    """Running time of the attempts that are over and did not succeed; counts against activeDeadlineSeconds."""
    disruptions: int | None = None
    """Attempts that the cluster ended: Evicted, Preempted, NodeLost. They do not count against retry.limit."""
    next_attempt_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When the next attempt begins, while waiting for it."""
    refused_since: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """Since when the API server has been refusing the next attempt's Job, with pendingDeadlineSeconds."""
    attempts: Annotated[list[Attempt] | None, Field(max_length=10, json_schema_extra=keyed_by("number"))] = None
    """The newest ten attempts."""
    tracking: TrackingStatus | None = None
    """Where the newest attempt is tracked."""
    metrics: Annotated[list[MetricValue] | None, Field(max_length=10, json_schema_extra=keyed_by("name"))] = None
    """Mirrored metrics."""
    problem: str | None = None
    """What keeps it from doing well, in one word; none while all is well. Can be selected by."""
    source_revision: str | None = None
    """The commit of spec.source.git that every attempt runs."""
    parameters_digest: str | None = None
    """SHA-256 of the parameters, to find runs of the same ones."""
    model_version: ModelVersionStatus | None = None
    """The version that this job made."""
