"""What every kind is made of: a strict model with camelCase fields, and the pieces of core/v1 that matter to them."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

FreeObject = Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]
"""An object of core/v1 whose own schema the API server checks when the pod is made."""

FORM = "x-modelyard-form"
"""Beside a pattern: what it means, for people who do not read patterns; both become a rule."""


def form(words: str) -> dict[str, JsonValue]:
    """Schema extras that say a field's pattern in words; the API server puts the field and its value before them."""
    return {FORM: words}


Quantity = Annotated[
    int | str,
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": 64,
            "pattern": r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
        }
        | form("is no quantity: write such as 2, 500m or 1Gi")
    ),
]
"""A Kubernetes quantity: 2, "500m", "1Gi"."""

Quantities = Annotated[dict[str, Quantity], Field(max_length=32)]
"""Quantities by resource."""


def rule(cel: str, message: str, field: str = "") -> dict[str, str]:
    """One CEL rule of a schema; the message names the field and the cure, and so does `field` where it is below."""
    return {"rule": cel, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def rules(*items: dict[str, str]) -> dict[str, JsonValue]:
    """Schema extras that hold the rules."""
    return {"x-kubernetes-validations": [dict(item) for item in items]}


def keyed_by(key: str) -> dict[str, JsonValue]:
    """Schema extras of a list whose items have a unique key."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


class KubeModel(BaseModel):
    """A part of a kind: camelCase on the wire, unknown fields refused, descriptions from docstrings."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


class Condition(KubeModel):
    """metav1.Condition."""

    type: Annotated[str, Field(max_length=64)]
    """What is stated."""
    status: Annotated[str, Field(json_schema_extra={"enum": ["True", "False", "Unknown"]})]
    """True, False or Unknown."""
    reason: Annotated[str, Field(max_length=64)]
    """Why, in one CamelCase word."""
    message: Annotated[str, Field(max_length=1024)] = ""
    """Why, for a person."""
    observed_generation: int | None = None
    """The generation of spec that this was decided on."""
    last_transition_time: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When status last changed."""


class EnvVar(KubeModel):
    """One environment variable of a container."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """The variable's name."""
    value: Annotated[str | None, Field(max_length=32768)] = None
    """Its value; $(OTHER) is expanded by the kubelet."""
    value_from: FreeObject | None = None
    """Where its value comes from: secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef."""


class ResourceRequirements(KubeModel):
    """What a container may and will use."""

    requests: Quantities | None = None
    """What the scheduler sets aside, by resource."""
    limits: Quantities | None = None
    """What the container may not exceed, by resource."""


class TemplateMetadata(KubeModel):
    """Labels and annotations of pods."""

    labels: dict[str, str] | None = None
    """Labels; modelyard.io/ ones are the operator's."""
    annotations: dict[str, str] | None = None
    """Annotations; modelyard.io/ ones are the operator's."""


class PodTemplate(KubeModel):
    """Everything of a pod that has no field of its own; merged under the operator's own settings."""

    metadata: TemplateMetadata | None = None
    """Labels and annotations."""
    spec: FreeObject | None = None
    """Any fields of a core/v1 PodSpec; containers are merged by name."""


class Tag(KubeModel):
    """A tag in MLflow."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=250,
            pattern=r"^[A-Za-z0-9_./ -]+$",
            json_schema_extra=rules(
                rule(
                    "!self.startsWith('modelyard.io/')",
                    "a tag's name may not begin with modelyard.io/: the operator finds its runs by these; rename it",
                )
            )
            | form("may hold letters, digits, spaces and _ . / - only: rename the tag"),
        ),
    ]
    """The tag's key."""
    value: Annotated[str, Field(max_length=5000)]
    """The tag's value."""


class PrinterColumn(KubeModel):
    """One column of kubectl get."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0
    """0: always shown; 1: with -o wide."""


class Kind(KubeModel):
    """What all kinds carry besides spec and status; subclasses are the kinds."""

    model_config = ConfigDict(extra="ignore")

    kind_name: ClassVar[str]
    plural: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[PrinterColumn, ...]]
    selectable: ClassVar[tuple[str, ...]] = ()
    """Fields that kubectl get --field-selector takes; API servers before 1.31 leave them out."""
    rules: ClassVar[tuple[dict[str, str], ...]]
    """CEL rules over the whole object: those that need its name, or status beside spec."""
    scale_paths: ClassVar[dict[str, str] | None] = None
    """The scale subresource's paths, for kinds that have replicas."""


RESERVED_ENVIRONMENT = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_RUN_CONTEXT",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MODEL_METADATA",
    "MLFLOW_WORKSPACE",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
)
"""Names that the operator sets itself or that change which code a container runs; refused in users' env."""

RESERVED_PREFIXES = ("MODELYARD_", "MLSERVER_", "PREDICTIVE_UNIT_", "PARAM_")
"""Prefixes of names that the operator sets itself."""


def environment_rules(path: str) -> dict[str, JsonValue]:
    """Rules of a list of EnvVar: no reserved names."""
    names = ", ".join(f"'{name}'" for name in RESERVED_ENVIRONMENT)
    prefixes = " || ".join(f"e.name.startsWith('{prefix}')" for prefix in RESERVED_PREFIXES)
    return rules(
        rule(
            f"self.all(e, !(e.name in [{names}] || {prefixes}))",
            f"{path} holds a name that the operator sets itself "
            f"({', '.join(RESERVED_ENVIRONMENT)}, or one that starts with {', '.join(RESERVED_PREFIXES)}): remove it",
        )
    )


def is_reserved_variable(name: str) -> bool:
    """Whether users may not set this environment variable."""
    return name in RESERVED_ENVIRONMENT or name.startswith(RESERVED_PREFIXES)
