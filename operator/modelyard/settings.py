"""The operator's settings: environment variables, read once at start into a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from pydantic import BaseModel, ValidationError

from modelyard.__about__ import __version__
from modelyard.core.pod_policy import NO_SETTINGS, PodPolicy
from modelyard.core.server_image import NO_IMAGES, ServerImages
from modelyard.core.workspaces import Workspaces

_PREFIX = "MODELYARD_"


@dataclass(frozen=True)
class Settings:
    """Each field is read from MODELYARD_<FIELD>; the chart's values.yaml says what they are for."""

    tracking_uri: str = ""
    """Where the operator reaches MLflow; empty: no MLflow, and every kind says so."""
    pod_tracking_uri: str = ""
    """Where pods reach MLflow; the operator's own when left empty."""
    tracking_ui_url: str = ""
    """Where people open MLflow's pages, for the links in status; none when left empty."""
    pod_credentials_secret: str = ""
    """A Secret in each user's namespace with MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN; none when left empty."""
    pod_ca_config_map: str = ""
    """A ConfigMap in each user's namespace with ca.crt, for an MLflow behind a private authority."""
    tracking_credentials_dir: str = ""
    """A folder with files named MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN for the operator; none when empty."""
    tracking_timeout_seconds: float = 10.0
    tracking_threads: int = 8
    tracking_workspaces: Workspaces = Workspaces.NONE
    """Which workspace of MLflow the objects of a namespace are kept in."""

    trainer_image: str = f"modelyard/trainer:{__version__}"
    server_image: str = f"modelyard/model-server:{__version__}"
    seldon_server_image: str = f"modelyard/model-server-seldon:{__version__}"
    fetcher_image: str = f"modelyard/model-fetcher:{__version__}"
    source_image: str = f"modelyard/source-fetcher:{__version__}"
    image_pull_policy: str = "IfNotPresent"
    model_names: str = "Free"
    """Free, or Namespaced: objects of a namespace name registered models `<namespace>.<name>` only."""
    default_backend: str = "SeldonDeployment"
    service_url: str = "http://{service}.{namespace}.svc:{port}"
    """How this cluster's Services are reached, for the readiness question and status.url."""
    pod_url: str = "http://{ip}:{port}"
    """How pods are reached, for the metrics of model servers."""
    prometheus_url: str = ""
    """A Prometheus that reads the model servers; their own metrics are read when left empty."""
    prometheus_custom_queries: bool = True
    """Whether whoever may write ModelDeployments may send it queries of their own."""
    prometheus_scrape_seconds: float = 30.0
    """How often it does."""
    prometheus_credentials_dir: str = ""
    """A folder with the files username and password, or token; none when empty."""
    prometheus_ca_file: str = ""
    """The authorities an https Prometheus is checked with; the public ones when empty."""

    training_pods: PodPolicy = NO_SETTINGS
    """What the administrator decides about the pods of TrainingJobs, as JSON."""
    serving_pods: PodPolicy = NO_SETTINGS
    """The same of ModelDeployments."""

    server_images: ServerImages = NO_IMAGES
    """What model server images can run, as a JSON list; an administrator's come before the release's."""
    record_user: bool = False
    """Whether an admission policy of the API server records who created an object, so that nobody can make it up."""

    namespaces: tuple[str, ...] = ()
    """The namespaces that are watched; all of them when empty."""
    cluster_id: str = ""
    """Names this cluster in MLflow; the UID of the kube-system namespace when left empty."""
    operator_namespace: str = "modelyard-system"
    """Where the leader's Lease lives."""
    identity: str = "modelyard"
    """This replica's name in the Lease: its pod's name."""
    workers: int = 16
    resync_seconds: float = 600.0
    alias_poll_seconds: float = 15.0
    webhook_port: int = 0
    """Where MLflow's webhooks are received; 0: nowhere."""
    webhook_secret_file: str = ""
    """A file with the secrets that deliveries are signed with, one a line."""
    pod_ip: str = ""
    """Where the other replicas reach this one."""
    lease_seconds: float = 15.0
    probe_host: str = "0.0.0.0"  # noqa: S104 - the kubelet asks from outside the pod
    probe_port: int = 8080
    metrics_port: int = 8081
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read every setting that the environment names.

        Raises:
            ValueError: a value does not parse; the message names the variable.
        """
        values = {}
        for field in fields(cls):
            name = _PREFIX + field.name.upper()
            if name in environment:
                values[field.name] = _parse(name, environment[name], type(field.default))
        return cls(**values)  # type: ignore[arg-type] # _parse made each value of its field's type

    @property
    def webhook_url(self) -> str:
        """Where the other replicas pass deliveries on to while this one leads; empty: nowhere."""
        if not self.webhook_port or not self.pod_ip:
            return ""
        host = f"[{self.pod_ip}]" if ":" in self.pod_ip else self.pod_ip
        return f"http://{host}:{self.webhook_port}"

    @property
    def tracking_uri_for_pods(self) -> str:
        """The tracking URI that pods get."""
        return self.pod_tracking_uri or self.tracking_uri


def _parse(name: str, text: str, kind: type[Any]) -> object:
    """One variable's value as its field's type; tuples are comma-separated."""
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is bool:
        return _parse_bool(name, text)
    if issubclass(kind, Enum):
        return _parse_choice(name, text, kind)
    if issubclass(kind, BaseModel):
        return _parse_json(name, text, kind)
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name}={text!r} is not a valid {kind.__name__}: {error}") from error


def _parse_bool(name: str, text: str) -> bool:
    """One variable's value as yes or no."""
    if text not in ("true", "false"):
        raise ValueError(f"{name}={text!r} is neither true nor false")
    return text == "true"


def _parse_choice(name: str, text: str, kind: type[Enum]) -> Enum:
    """One variable's value as one of those that there are."""
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name}={text!r} is none of {', '.join(item.value for item in kind)}") from error


def _parse_json(name: str, text: str, kind: type[BaseModel]) -> BaseModel:
    """One variable's value as JSON."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{name}: {field + ': ' if field else ''}{first['msg']}") from error
