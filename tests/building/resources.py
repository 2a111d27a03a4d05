"""Our own objects: a kind, what was said of it, and `build()`."""

import dataclasses
from typing import Self

from building.base import (
    NAMESPACE,
    SERVING_UID,
    TRAINING_UID,
    ResourceBuilder,
    seconds_ago,
)
from modelyard.api import names
from modelyard.core.plan import Manifest


@dataclasses.dataclass(frozen=True)
class TrainingJobBuilder(ResourceBuilder):
    """A TrainingJob."""

    def with_model(self, name: str = "digits", **fields: object) -> Self:
        """Registers a model."""
        return self.with_spec(model={"name": name, **fields})

    def with_git(self, url: str = "https://git.example.com/team/digits.git", **fields: object) -> Self:
        """Runs code of a git repository."""
        return self.with_spec(source={"git": {"url": url, **fields}})

    def with_preparation(self, **fields: object) -> Self:
        """Prepares data first."""
        return self.with_spec(prepare={"command": ["python3", "prepare.py"], **fields})

    def with_datasets(self, *datasets: Manifest) -> Self:
        """With datasets."""
        return self.with_spec(datasets=list(datasets))

    def with_retry(self, limit: int, initial: int = 10, most: int = 300) -> Self:
        """With a retry policy."""
        backoff = {"initialSeconds": initial, "maxSeconds": most}
        return self.with_spec(retry={"limit": limit, "backoff": backoff})

    def with_parameters(self, **values: str) -> Self:
        """With parameters."""
        return self.with_spec(parameters=[{"name": name, "value": value} for name, value in values.items()])

    def with_metrics(self, *wanted: str) -> Self:
        """Mirrors metrics."""
        return self.with_spec(tracking={"metrics": list(wanted)})

    def with_source(self, config_map: str) -> Self:
        """Runs code of a ConfigMap."""
        return self.with_spec(source={"configMap": {"name": config_map}})

    def with_nodes(self, nodes: int, processes: int = 1) -> Self:
        """Trains in several pods, each with several processes."""
        return self.with_spec(nodes=nodes, processesPerNode=processes)

    def with_checkpoint(self, claim: str, **fields: object) -> Self:
        """Keeps what a later attempt goes on from."""
        return self.with_spec(checkpoint={"persistentVolumeClaim": {"claimName": claim}, **fields})

    def with_trainer(self, **fields: object) -> Self:
        """With fields of the trainer."""
        return self.with_spec(trainer=self.manifest["spec"]["trainer"] | fields)

    def suspended(self) -> Self:
        """Suspended."""
        return self.with_spec(suspend=True)

    def resumed(self) -> Self:
        """No longer suspended."""
        return self.with_spec(suspend=False).edited()


def make_training_job(name: str = "digits") -> TrainingJobBuilder:
    """A TrainingJob as it is just after it was applied."""
    spec = {"trainer": {"command": ["python", "train.py"]}}
    return TrainingJobBuilder(_resource("TrainingJob", name, TRAINING_UID, spec))


@dataclasses.dataclass(frozen=True)
class ModelDeploymentBuilder(ResourceBuilder):
    """A ModelDeployment."""

    def at_version(self, version: str) -> Self:
        """Stays at a version."""
        return self.with_spec(model={"name": "digits", "version": version})

    def with_backend(self, backend: str) -> Self:
        """With a backend of its own."""
        return self.with_spec(backend=backend)

    def with_replicas(self, replicas: int) -> Self:
        """With this many pods."""
        return self.with_spec(replicas=replicas)

    def paused(self) -> Self:
        """Paused."""
        return self.with_spec(paused=True)

    def with_route(self, **fields: object) -> Self:
        """With a way in through the Gateway infra/web, for the host digits.example.org."""
        usual = {"gateway": {"name": "web", "namespace": "infra"}, "hostnames": ["digits.example.org"]}
        return self.with_spec(route=usual | fields)


def make_model_deployment(name: str = "digits") -> ModelDeploymentBuilder:
    """A ModelDeployment as it is just after it was applied; follows the alias champion."""
    spec = {"model": {"name": "digits", "alias": "champion"}}
    return ModelDeploymentBuilder(_resource("ModelDeployment", name, SERVING_UID, spec))


@dataclasses.dataclass(frozen=True)
class PromotionBuilder(ResourceBuilder):
    """A Promotion."""

    def with_gates(self, *gates: Manifest) -> Self:
        """With gates."""
        return self.with_spec(gates=list(gates))

    def with_approval(self, decision: str | None = None, by: str = "alice") -> Self:
        """A person has to agree, and may have."""
        decided = {"decision": decision, "by": by} if decision else {}
        return self.with_spec(approval={"required": True, **decided})

    def of_policy(self, name: str = "digits") -> Self:
        """Made by a policy."""
        return self.with_spec(policy=name)

    def judged(self, reason: str = "Hashing", **status: object) -> Self:
        """Its gates passed while the alias pointed at version 1."""
        conditions = [
            _condition("GatesPassed", "True", "GatesPassed"),
            _condition("Complete", "False", reason),
            _condition("Recorded", "True", "GatesRecorded"),
        ]
        told = {"conditions": conditions, "previousVersion": "1", "by": "kubectl-create"}
        return self.with_status(told | status)

    def over(self, reason: str = "Promoted", **status: object) -> Self:
        """It ended so."""
        is_promoted = "True" if reason == "Promoted" else "False"
        conditions = [
            _condition("Complete", is_promoted, reason),
            _condition("Promoted", is_promoted, reason),
            _condition("Recorded", "True", "ResultRecorded"),
        ]
        return self.with_status({"conditions": conditions, "completionTime": seconds_ago(10)} | status)


def make_promotion(name: str = "by-hand", version: str = "2", age_seconds: float = 60) -> PromotionBuilder:
    """A Promotion of digits to champion as it is just after it was made."""
    spec = {"model": {"name": "digits", "version": version}, "target": {"alias": "champion"}}
    made = PromotionBuilder(_resource("Promotion", name, f"promotion-{name}", spec))
    return made.changed("metadata", "creationTimestamp", to=seconds_ago(age_seconds))


def make_promotion_policy(name: str = "digits", age_seconds: float = 600) -> ResourceBuilder:
    """A PromotionPolicy from candidate to champion as it is just after it was applied."""
    spec = {
        "model": {"name": "digits"},
        "candidate": {"alias": "candidate"},
        "target": {"alias": "champion"},
        "approval": {"required": False},
    }
    made = ResourceBuilder(_resource("PromotionPolicy", name, f"policy-{name}", spec))
    return made.changed("metadata", "creationTimestamp", to=seconds_ago(age_seconds))


def _condition(kind: str, status: str, reason: str) -> Manifest:
    return {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": seconds_ago(30)}


def _resource(kind: str, name: str, uid: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": uid, "generation": 1, "resourceVersion": "100"},
        "spec": spec,
    }
