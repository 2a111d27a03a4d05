"""TrainingJob: runs pods that train, keeps one MLflow run per attempt true to them, registers the model."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.base import (
    EnvVar,
    FreeObject,
    Kind,
    KubeModel,
    PodTemplate,
    PrinterColumn,
    ResourceRequirements,
    Tag,
    environment_rules,
    form,
    keyed_by,
    rule,
)
from modelyard.api.registry import Alias, ModelName
from modelyard.api.training_inputs import Checkpoint, Dataset, Parameter, Prepare
from modelyard.api.training_retry import Retry
from modelyard.api.training_source import MLProject, Source
from modelyard.api.training_status import TrainingJobStatus


class Trainer(KubeModel):
    """The container that trains."""

    image: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """The image; left out, the trainer image of this release (Python, scikit-learn, pandas, MLflow)."""
    command: Annotated[list[str] | None, Field(max_length=64)] = None
    """What is run, one list item per argument; the image's own entrypoint when left out."""
    args: Annotated[list[str] | None, Field(max_length=256)] = None
    """Arguments; $(PARAM_NAME) stands for a parameter's value."""
    working_dir: Annotated[
        str | None, Field(pattern=r"^/", max_length=1024, json_schema_extra=form("must begin with /, such as /code"))
    ] = None
    """Where it runs; with a source, the folder that holds the source's files."""
    env: Annotated[
        list[EnvVar] | None,
        Field(max_length=100, json_schema_extra=keyed_by("name") | environment_rules("spec.trainer.env")),
    ] = None
    """Environment variables; names that the operator sets itself are refused."""
    env_from: Annotated[list[FreeObject] | None, Field(max_length=20)] = None
    """Secrets and ConfigMaps of this namespace whose keys become variables."""
    resources: ResourceRequirements | None = None
    """Requests and limits."""
    volume_mounts: Annotated[list[FreeObject] | None, Field(max_length=50)] = None
    """Mounts of volumes that podTemplate.spec.volumes declares."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is fetched."""


class TrackingSpec(KubeModel):
    """The MLflow runs of this job."""

    experiment: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    """The experiment; <namespace>/<name> when left out."""
    run_name: Annotated[str | None, Field(min_length=1, max_length=250)] = None
    """The runs' name; <name>-<attempt> when left out, <name> with runPolicy Reuse."""
    tags: Annotated[list[Tag] | None, Field(max_length=50, json_schema_extra=keyed_by("name"))] = None
    """Tags on every run."""
    run_policy: Literal["PerAttempt", "Reuse", "Adopt"] = "PerAttempt"
    """PerAttempt makes a run for each attempt; with Reuse all attempts go on with one run, as checkpoints want it; with
    Adopt the code starts the run itself, in any experiment, and it is found by its tags."""
    metrics: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=250)]] | None,
        Field(max_length=10, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """Metrics that are mirrored into status; the first is a column of kubectl get."""
    system_metrics: bool = False
    """Log the pod's CPU, memory, disk and network as metrics system/… of the run; needs psutil in the image, without
    which the training runs on and the pod's log says so, and trainer.command or mlproject."""

    @property
    def is_shared(self) -> bool:
        """Whether all attempts go on with one run."""
        return self.run_policy == "Reuse"

    @property
    def is_adopted(self) -> bool:
        """Whether the code starts an attempt's run itself."""
        return self.run_policy == "Adopt"


class ModelSpec(KubeModel):
    """The registered model that a success adds a version to."""

    name: ModelName
    """The registered model."""
    artifact: Annotated[str | None, Field(min_length=1, max_length=250)] = None
    """Which logged model, by its name; needed when a run logs several."""
    register_when: Annotated[Literal["OnSuccess", "Never"], Field(alias="register")] = "OnSuccess"
    """OnSuccess registers the model; Never only checks that it was logged."""
    aliases: Annotated[
        list[Alias] | None, Field(max_length=10, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = None
    """Aliases set on the new version."""
    tags: Annotated[list[Tag] | None, Field(max_length=50, json_schema_extra=keyed_by("name"))] = None
    """Tags set on the new version."""


class TrainingJobSpec(KubeModel):
    """What to train."""

    suspend: bool = False
    """Stop the pods and keep the object; unset to go on with a new attempt."""
    trainer: Trainer
    """The container that trains."""
    pod_template: PodTemplate | None = None
    """Everything else of the pod."""
    source: Source | None = None
    """Where the code comes from when it is not in the image."""
    parameters: Annotated[list[Parameter] | None, Field(max_length=100, json_schema_extra=keyed_by("name"))] = None
    """Parameters: on the run, as PARAM_<NAME> in the environment, in /etc/modelyard/parameters.json."""
    mlproject: MLProject | None = None
    """Run an entry point of the source's MLproject file instead of trainer.command."""
    prepare: Prepare | None = None
    """Data preparation: runs to its end first, in the same pod, and shares /data with the trainer."""
    datasets: Annotated[list[Dataset] | None, Field(max_length=50, json_schema_extra=keyed_by("name"))] = None
    """Data that the training uses: inputs of the run, and DATASET_<NAME>_URI in the environment."""
    nodes: Annotated[int, Field(ge=1, le=256)] = 1
    """Pods that train together; with more than one, an Indexed Job whose pods find each other as torchrun expects."""
    processes_per_node: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that the code starts in each pod, as `torchrun` does when it is told so by its environment."""
    retry: Retry = Retry()
    """What happens after an attempt failed."""
    checkpoint: Checkpoint | None = None
    """A volume that every attempt finds at the same path, to go on from where the one before was."""
    active_deadline_seconds: Annotated[int | None, Field(ge=1, le=31_536_000)] = None
    """Running time of all attempts together after which it is stopped and fails; the clock stops while suspended."""
    pending_deadline_seconds: Annotated[int | None, Field(ge=1, le=31_536_000)] = None
    """How long an attempt may wait to start (unschedulable, image missing, no pod) before the job fails."""
    ttl_seconds_after_finished: Annotated[int | None, Field(ge=0, le=315_360_000)] = None
    """How long the object stays once it is over; then it goes with its Jobs. Runs and models stay.

    One that is InvalidSpec, and not suspended, goes as well, after ten minutes at least.
    """
    queue_name: Annotated[
        str | None,
        Field(
            max_length=63,
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            json_schema_extra=form("is no name that a LocalQueue can have: lower-case letters, digits and '-'"),
        ),
    ] = None
    """The Kueue LocalQueue that lets its Jobs run, as the label kueue.x-k8s.io/queue-name on them."""
    tracking: TrackingSpec = TrackingSpec()
    """The MLflow runs of this job."""
    model: ModelSpec | None = None
    """The registered model that a success adds a version to; none when left out."""


LONGEST_NAME_OF_SEVERAL = 44
"""So that `<name>-<8 digits>-<attempt>-<index>` has at most the 63 characters of a host's name."""

INVALID_SPEC = "InvalidSpec"
"""What status.problem says of a spec that cannot work, while nothing has begun."""

_NEVER_STARTED = (
    "(!oldSelf.?status.?startTime.hasValue() && "
    f"(oldSelf.spec.suspend || oldSelf.?status.?problem.orValue('') == '{INVALID_SPEC}'))"
)


def _fixed(field: str) -> dict[str, str]:
    """The rule that a part of spec stays as it was once the job started."""
    now, before = f"self.spec.{field}", f"oldSelf.spec.{field}"
    return rule(
        f"{_NEVER_STARTED} || (has({now}) == has({before}) && (!has({now}) || {now} == {before}))",
        f"spec.{field} cannot change after the start (only while never started and suspended or InvalidSpec): "
        "delete the TrainingJob and apply it again, or use another name",
        f"spec.{field}" if "." not in field else "spec.retry",
    )


class TrainingJob(Kind):
    """Trains a model in pods, tracks it in MLflow and registers the result."""

    kind_name: ClassVar[str] = "TrainingJob"
    plural: ClassVar[str] = "trainingjobs"
    short_names: ClassVar[tuple[str, ...]] = ("tj",)
    selectable: ClassVar[tuple[str, ...]] = (".status.problem",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn(name="State", json_path=".status.conditions[?(@.type=='Complete')].reason"),
        PrinterColumn(name="Problem", json_path=".status.problem"),
        PrinterColumn(name="Attempt", json_path=".status.attempt", type="integer"),
        PrinterColumn(name="Model", json_path=".spec.model.name"),
        PrinterColumn(name="Version", json_path=".status.modelVersion.version"),
        PrinterColumn(name="Metric", json_path=".status.metrics[0].value"),
        PrinterColumn(name="Age", json_path=".metadata.creationTimestamp", type="date"),
        PrinterColumn(name="Run", json_path=".status.tracking.runID", priority=1),
        PrinterColumn(name="Node", json_path=".status.attempts[0].node", priority=1),
        PrinterColumn(name="Message", json_path=".status.conditions[?(@.type=='Complete')].message", priority=1),
    )
    rules: ClassVar[tuple[dict[str, str], ...]] = (
        rule(
            "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50",
            "metadata.name must be at most 50 lower-case letters, digits and '-': pods are named after it",
        ),
        rule(
            "!has(self.spec.retry) || !has(self.spec.retry.onOutOfMemory) || (has(self.spec.trainer.resources) && "
            "has(self.spec.trainer.resources.limits) && 'memory' in self.spec.trainer.resources.limits)",
            "spec.retry.onOutOfMemory needs spec.trainer.resources.limits.memory: say what the first attempt may use",
            "spec.trainer",
        ),
        rule(
            f"self.spec.nodes == 1 || size(self.metadata.name) <= {LONGEST_NAME_OF_SEVERAL}",
            f"metadata.name may have {LONGEST_NAME_OF_SEVERAL} characters where spec.nodes is above 1: "
            "pods are named after it and their number",
        ),
        rule(
            "self.spec.nodes == 1 || has(self.spec.trainer.command) || has(self.spec.mlproject)",
            "spec.nodes above 1 needs spec.trainer.command: what the image itself would run is not known, "
            "and the MLflow run must be given to the first pod only",
            "spec.trainer",
        ),
        rule(
            "!self.spec.tracking.systemMetrics || has(self.spec.trainer.command) || has(self.spec.mlproject)",
            "spec.tracking.systemMetrics needs spec.trainer.command: what the image itself would run is not known, and "
            "whether it has psutil is looked up before the command",
        ),
        rule(
            "!has(self.spec.mlproject) || has(self.spec.source)",
            "spec.mlproject needs spec.source: the MLproject file is there",
            "spec.mlproject",
        ),
        rule(
            "!has(self.spec.mlproject) || (!has(self.spec.trainer.command) && !has(self.spec.trainer.args))",
            "spec.mlproject runs the command of the MLproject file: remove spec.trainer.command and spec.trainer.args",
            "spec.trainer",
        ),
        *(
            _fixed(field)
            for field in (
                "trainer",
                "podTemplate",
                "source",
                "mlproject",
                "prepare",
                "datasets",
                "parameters",
                "nodes",
                "processesPerNode",
                "retry.backoff",
                "retry.nonRetryableExitCodes",
                "retry.onOutOfMemory",
                "checkpoint",
                "pendingDeadlineSeconds",
                "queueName",
                "tracking",
                "model",
            )
        ),
    )

    spec: TrainingJobSpec
    """What to train."""
    status: TrainingJobStatus | None = None
    """What happened."""
