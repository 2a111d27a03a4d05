"""ModelDeployment: keeps serving exactly the version that an alias points at."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelyard.api.analysis import DISAGREES
from modelyard.api.autoscaling import Autoscaling
from modelyard.api.base import (
    EnvVar,
    FreeObject,
    Kind,
    KubeModel,
    PodTemplate,
    PrinterColumn,
    ResourceRequirements,
    environment_rules,
    keyed_by,
    rule,
    rules,
)
from modelyard.api.model_deployment_status import ModelDeploymentStatus
from modelyard.api.registry import Alias, ModelName, VersionNumber
from modelyard.api.rollout import Rollback, Rollout
from modelyard.api.route import Route

Policy = Literal["Enforce", "Warn", "Ignore"]
ProtocolName = Literal["v2", "seldon"]
BackendName = Literal["SeldonDeployment", "Deployment"]


class ServedModel(KubeModel):
    """Which version is served."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "has(self.alias) != has(self.version)",
                "spec.model needs exactly one of alias (follow it) and version (stay at it)",
            ),
            rule(
                "self.name == oldSelf.name",
                "spec.model.name cannot change: make a second ModelDeployment for the other model and move clients",
            ),
        )
    }

    name: ModelName
    """The registered model."""
    alias: Alias | None = None
    """Serve what this alias points at, and follow it."""
    version: VersionNumber | None = None
    """Serve this version."""
    promoted_only: bool = False
    """Serve only versions that a Promotion of this namespace promoted, with the files that it recorded."""


class Server(KubeModel):
    """The container that serves."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "self.protocol == oldSelf.protocol",
                "spec.server.protocol cannot change: make a second ModelDeployment with the other one and move clients",
            )
        )
    }

    protocol: ProtocolName = "v2"
    """What clients speak: v2, the Open Inference Protocol, or seldon, Seldon Core's own. Cannot change."""
    image: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """The image; left out, the model server image of this release for the protocol."""
    resources: ResourceRequirements | None = None
    """Requests and limits."""
    env: Annotated[
        list[EnvVar] | None,
        Field(max_length=100, json_schema_extra=keyed_by("name") | environment_rules("spec.server.env")),
    ] = None
    """Environment variables; names that the operator sets itself are refused."""
    env_from: Annotated[list[FreeObject] | None, Field(max_length=20)] = None
    """Secrets and ConfigMaps of this namespace whose keys become variables."""


class Validation(KubeModel):
    """What is looked at before a version starts, from the files that MLflow keeps of it."""

    compatibility: Policy = "Enforce"
    """Whether the server image can run it; Enforce does not start it where it cannot, Warn only says so."""
    signature: Policy = "Enforce"
    """Whether clients of the version that serves could go on: nothing gone, of another type, or newly required."""
    smoke_test: bool = True
    """Whether the input example that was logged with a version is sent to its own pods before they get traffic."""


class ModelDeploymentSpec(KubeModel):
    """What to serve, and how."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "!has(oldSelf.backend) || (has(self.backend) && self.backend == oldSelf.backend)",
                "spec.backend cannot change: make a second ModelDeployment with the other backend and move clients",
            ),
            rule(
                "!has(self.rollout) || self.rollout.strategy != 'Shadow' || has(self.route)",
                "spec.rollout.strategy Shadow needs spec.route: it is a Gateway that copies the requests",
            ),
            rule(
                "!has(self.server) || self.server.protocol == 'v2' || !has(self.rollout) "
                f"|| !has(self.rollout.analysis) || !self.rollout.analysis.metrics.exists(m, {DISAGREES})",
                "spec.rollout.analysis.metrics[].builtin Disagreement needs spec.server.protocol v2: the server for "
                "protocol seldon does not tell whether predictions are the same; leave the metric out",
            ),
            rule(
                "!has(self.autoscaling) || (has(self.server) && has(self.server.resources) && "
                "((has(self.server.resources.requests) && 'cpu' in self.server.resources.requests) || "
                "(has(self.server.resources.limits) && 'cpu' in self.server.resources.limits)))",
                "spec.autoscaling needs spec.server.resources.requests.cpu: utilization is measured against it",
            ),
        )
    }

    model: ServedModel
    """Which version is served."""
    backend: BackendName | None = None
    """What runs the servers; the chart's serving.defaultBackend when left out. Cannot change."""
    server: Server = Server()
    """The container that serves."""
    pod_template: PodTemplate | None = None
    """Everything else of the serving pods."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """How many pods serve."""
    autoscaling: Autoscaling | None = None
    """Lets load decide how many pods serve; spec.replicas is then written by the autoscaler."""
    paused: bool = False
    """Keep serving, take no new version."""
    rollout: Rollout = Rollout()
    """How a new version is taken up."""
    rollback: Rollback = Rollback()
    """What becomes of a version that failed."""
    revision_history_limit: Annotated[int, Field(ge=0, le=100)] = 10
    """How many rollouts that are over status keeps."""
    validation: Validation = Validation()
    """What is looked at before a version starts."""
    progress_deadline_seconds: Annotated[int, Field(ge=10, le=86400)] = 600
    """How long a new version may take until it serves."""
    route: Route | None = None
    """The way in through a Gateway; left out, there is the Service alone."""


class ModelDeployment(Kind):
    """Serves the version of a registered model that an alias points at."""

    kind_name: ClassVar[str] = "ModelDeployment"
    plural: ClassVar[str] = "modeldeployments"
    short_names: ClassVar[tuple[str, ...]] = ("md",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn(name="Ready", json_path=".status.conditions[?(@.type=='Ready')].status"),
        PrinterColumn(name="Reason", json_path=".status.conditions[?(@.type=='Ready')].reason"),
        PrinterColumn(name="Model", json_path=".spec.model.name"),
        PrinterColumn(name="Stable", json_path=".status.stable.version"),
        PrinterColumn(name="Canary", json_path=".status.canary.version"),
        PrinterColumn(name="Weight", json_path=".status.canary.weight", type="integer"),
        PrinterColumn(name="Desired", json_path=".status.desiredVersion"),
        PrinterColumn(name="Age", json_path=".metadata.creationTimestamp", type="date"),
        PrinterColumn(name="URL", json_path=".status.url", priority=1),
        PrinterColumn(name="Backend", json_path=".status.backendRef.kind", priority=1),
    )
    rules: ClassVar[tuple[dict[str, str], ...]] = (
        rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40",
            "metadata.name must be at most 40 lower-case letters, digits and '-', beginning with a letter: "
            "Services are named after it",
        ),
    )
    scale_paths: ClassVar[dict[str, str] | None] = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }

    spec: ModelDeploymentSpec
    """What to serve, and how."""
    status: ModelDeploymentStatus | None = None
    """What is served."""
