"""The next status of a ModelDeployment while it is being decided."""

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata
from modelyard.core.conditions import Conditions, find
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.protocol import HTTP_PORT, protocol_of
from modelyard.core.plan import Event, Manifest, ObjectRef, Plan
from modelyard.core.subject import Subject


@dataclass(frozen=True)
class Refusal:
    """Why the wanted version is not started."""

    reason: str
    message: str
    is_final: bool
    """Whether only a person can change it; otherwise it is asked again."""


@dataclass
class Draft(Subject):
    """Everything decided so far; `finish` makes it a plan."""

    resource: Manifest
    spec: ModelDeploymentSpec
    observed: Observed
    now: datetime
    status: dict[str, Any] = field(default_factory=dict)
    create: list[Manifest] = field(default_factory=list)
    apply: list[Manifest] = field(default_factory=list)
    delete: list[ObjectRef] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    recheck_after: float | None = None
    is_changed: bool = False
    """Whether the backend is told something new now, so that what it showed before is no answer to it."""
    is_rerouted: bool = False
    """Whether the Gateway is told something new now."""
    digests: dict[str, str | None] = field(default_factory=dict)
    """What the pods of each version are told of its files."""
    refusal: Refusal | None = None
    """Why the wanted version is not started, where it is not."""

    def __post_init__(self) -> None:
        self.before: dict[str, Any] = self.resource.get("status") or {}
        self.status = copy.deepcopy({k: v for k, v in self.before.items() if k != "conditions"})
        self.conditions = Conditions(self.before.get("conditions") or [], self.generation, self.now)
        for kind in ("Ready", "Progressing", "ModelResolved", "Degraded", "TrafficSplit", "Compatible", "Autoscaled"):
            self.conditions.keep(kind)
        self.look_again_in(self.context.alias_poll_seconds)

    @property
    def stable_version(self) -> str | None:
        """The version that was seen serving last."""
        return (self.status.get("stable") or {}).get("version")

    @property
    def was_ready(self) -> bool:
        """Whether the status as it was read says Ready."""
        return find(self.before, "Ready").get("status") == "True"

    @property
    def server_url(self) -> str:
        """The base URL of the Service that clients call."""
        return self._url_of(metadata.service_name(self.resource))

    @property
    def canary_url(self) -> str:
        """The base URL of the canary's Service."""
        return self._url_of(metadata.canary_service_name(self.resource))

    @property
    def predict_path(self) -> str:
        """Where predictions are asked for, below the base URL."""
        return protocol_of(self.spec).predict_path

    def _url_of(self, service: str) -> str:
        """The base URL of a Service."""
        return self.context.service_url.format(service=service, namespace=self.namespace, port=HTTP_PORT)

    def annotation(self, name: str) -> str | None:
        """What a person wrote on the object."""
        value = (self.resource["metadata"].get("annotations") or {}).get(name)
        return str(value) if value else None

    def look_again_in(self, seconds: float) -> None:
        """Look again at the latest in this time."""
        self.recheck_after = max(0.1, min(seconds, self.recheck_after or seconds))

    def not_ready(self, reason: str, message: str) -> None:
        """Nothing serves, or not what it should and nothing else either."""
        self.conditions.false("Ready", reason, message)

    def finish(self, *, reconciling: bool, stalled: tuple[str, str] | None) -> Plan:
        """The plan, with Reconciling and Stalled present only while true."""
        ready = self.conditions.get("Ready") or {"reason": "Progressing", "message": ""}
        if stalled:
            self.conditions.true("Stalled", *stalled)
        elif reconciling:
            self.conditions.true("Reconciling", ready["reason"], ready["message"])
        if "stable" in self.status:
            weight = 100 - (self.status.get("canary") or {}).get("weight", 0)
            self.status["stable"] = self.status["stable"] | {"weight": weight}
        return Plan(
            create=tuple(self.create),
            apply=tuple(self.apply),
            delete=tuple(self.delete),
            status=self.next_status(),
            events=tuple(dict.fromkeys(self.events)),
            recheck_after=self.recheck_after,
        )
