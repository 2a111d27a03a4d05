"""Objects for tests, each a sentence: a kind, what was said of it, and `build()`. Nothing here is shared or changed.

Those of the two backends are below; the others are in `building`, and found here as well.
"""

import copy
import dataclasses
from typing import Self

from building.base import (
    NAMESPACE,
    NOW,
    SELDON_UID,
    SERVER_IMAGE,
    SERVING_UID,
    TRAINING_UID,
    Builder,
    ResourceBuilder,
    make_card,
    make_context,
    seconds_ago,
)
from building.pods import INDEX, JobBuilder, PodBuilder, make_job, make_pod, make_serving_pod
from building.resources import (
    ModelDeploymentBuilder,
    PromotionBuilder,
    TrainingJobBuilder,
    make_model_deployment,
    make_promotion,
    make_promotion_policy,
    make_training_job,
)
from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.context import Context
from modelyard.core.matching import digest
from modelyard.core.model_deployment import companions, route
from modelyard.core.model_deployment.deployment import DeploymentBackend
from modelyard.core.model_deployment.layout import STABLE, Layout, Predictor
from modelyard.core.model_deployment.pod import pod_labels
from modelyard.core.model_deployment.seldon import SeldonBackend
from modelyard.core.model_deployment.services import client_service
from modelyard.core.plan import Manifest

__all__ = [
    "INDEX",
    "NAMESPACE",
    "NOW",
    "SELDON_UID",
    "SERVER_IMAGE",
    "SERVING_UID",
    "TRAINING_UID",
    "Builder",
    "DeploymentBuilder",
    "JobBuilder",
    "ModelDeploymentBuilder",
    "PodBuilder",
    "PromotionBuilder",
    "ResourceBuilder",
    "SeldonDeploymentBuilder",
    "TrainingJobBuilder",
    "applied",
    "as_live",
    "laid_out",
    "make_card",
    "make_context",
    "make_deployment",
    "make_job",
    "make_model_deployment",
    "make_pod",
    "make_promotion",
    "make_promotion_policy",
    "make_route",
    "make_seldon_child",
    "make_seldon_deployment",
    "make_service",
    "make_serving_pod",
    "make_training_job",
    "said_by_gateway",
    "seconds_ago",
]


@dataclasses.dataclass(frozen=True)
class DeploymentBuilder(Builder):
    """A Deployment that serves."""

    def rolled_out(self) -> Self:
        """All its pods are of its template, and ready."""
        wanted = self.manifest["spec"]["replicas"]
        return self.with_counts(replicas=wanted, updated=wanted, available=wanted)

    def half_rolled_out(self) -> Self:
        """Pods of its former template serve while one of the new is starting."""
        wanted = self.manifest["spec"]["replicas"]
        return self.with_counts(replicas=wanted + 1, updated=1, available=wanted)

    def with_counts(self, replicas: int, updated: int, available: int) -> Self:
        """With a status that counts."""
        counts = {"replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}
        seen = {"observedGeneration": self.manifest["metadata"]["generation"]}
        return self.changed("status", to=seen | {name: count for name, count in counts.items() if count})

    def unseen(self) -> Self:
        """Changed, and its controller did not notice yet."""
        return self.changed("metadata", "generation", to=self.manifest["metadata"]["generation"] + 1)


def applied(resource: Manifest, version: str, context: Context, backend: str) -> list[Manifest]:
    """What a backend renders for a version, as the API server holds it once it was applied."""
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return laid_out(resource, Layout(Predictor(STABLE, version, spec.replicas)), context, backend)


def laid_out(resource: Manifest, layout: Layout, context: Context, backend: str) -> list[Manifest]:
    """What serves a layout, as the API server holds it once it was applied."""
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    renderer = SeldonBackend() if backend == "SeldonDeployment" else DeploymentBackend()
    made = [
        *renderer.render(resource, spec, layout, context),
        client_service(resource, {STABLE: 100} if spec.route else layout.weights),
    ]
    made += [companions.autoscaler(resource, spec.autoscaling)] if spec.autoscaling else []
    made += [companions.budget(resource)] if spec.replicas > 1 else []
    return [as_live(item) for item in made]


def as_live(manifest: Manifest) -> Manifest:
    """A rendered manifest as it is after it was applied for the first time."""
    live = copy.deepcopy(manifest)
    is_canarys = live["metadata"]["name"].endswith("-canary")
    uid = f"uid-of-{live['kind'].lower()}" + ("-of-the-canary" if is_canarys else "")
    uid = SELDON_UID if live["kind"] == "SeldonDeployment" else uid
    live["metadata"].setdefault("annotations", {}).setdefault(names.ANNOTATION_APPLIED, digest(manifest))
    live["metadata"] |= {"uid": uid, "generation": 1, "resourceVersion": "200"}
    return live


def make_deployment(resource: Manifest, version: str, context: Context | None = None) -> DeploymentBuilder:
    """The Deployment of the plain backend at a version, with no pods yet."""
    return DeploymentBuilder(applied(resource, version, context or make_context(), "Deployment")[0])


def make_service(resource: Manifest, context: Context | None = None) -> Manifest:
    """The Service that clients call."""
    return applied(resource, "1", context or make_context(), "Deployment")[1]


def make_route(resource: Manifest, weights: dict[str, int] | None = None, mirror_percent: int = 0) -> Manifest:
    """The HTTPRoute of a ModelDeployment as it is once it was applied, with no answer of a Gateway."""
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return as_live(route.render(resource, spec, weights or {"stable": 100}, mirror_percent)[0])


def said_by_gateway(name: str = "web", namespace: str = "infra", **verdicts: str) -> Manifest:
    """An entry of an HTTPRoute's status.parents; verdicts by condition, `True` or `False: reason: message`."""
    words = {"Accepted": "True", "ResolvedRefs": "True"} | verdicts
    conditions = []
    for kind, verdict in words.items():
        status, *rest = verdict.split(": ", 2)
        reason, message = (*rest, "", "")[:2]
        conditions.append(
            {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1}
        )
    return {"parentRef": {"name": name, "namespace": namespace}, "controllerName": "a/b", "conditions": conditions}


@dataclasses.dataclass(frozen=True)
class SeldonDeploymentBuilder(Builder):
    """A SeldonDeployment."""

    def refused(self, description: str) -> Self:
        """Seldon's manager cannot do it."""
        return self.changed("status", to={"state": "Failed", "description": description})


def make_seldon_deployment(resource: Manifest, version: str, context: Context | None = None) -> SeldonDeploymentBuilder:
    """The SeldonDeployment at a version."""
    return SeldonDeploymentBuilder(applied(resource, version, context or make_context(), "SeldonDeployment")[0])


def make_seldon_child(resource: Manifest, version: str, predictor: str = STABLE) -> DeploymentBuilder:
    """The Deployment that Seldon's manager makes for a predictor."""
    name = resource["metadata"]["name"]
    labels = pod_labels(resource, Predictor(predictor, version, 1))
    owner = {"kind": "SeldonDeployment", "name": name, "uid": SELDON_UID, "controller": True}
    return DeploymentBuilder(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": f"{name}-{'main' if predictor == STABLE else predictor}-0-model",
                "namespace": NAMESPACE,
                "uid": f"uid-of-seldons-{predictor}",
                "generation": 1,
                "labels": labels,
                "ownerReferences": [owner],
            },
            "spec": {
                "replicas": resource["spec"].get("replicas", 1),
                "template": {"metadata": {"labels": labels}},
            },
        }
    )
