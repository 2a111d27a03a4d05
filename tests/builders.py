"""Objects for tests, each a sentence: a kind, what was said of it, and `build()`. Nothing here is shared or changed."""

import copy
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Self

from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import clock, metadata
from modelyard.core.context import Context
from modelyard.core.matching import digest
from modelyard.core.model_card import Column, ModelCard, Signature
from modelyard.core.model_deployment import companions, route
from modelyard.core.model_deployment.deployment import DeploymentBackend
from modelyard.core.model_deployment.layout import STABLE, Layout, Predictor
from modelyard.core.model_deployment.pod import pod_labels
from modelyard.core.model_deployment.seldon import SeldonBackend
from modelyard.core.model_deployment.services import client_service
from modelyard.core.plan import Manifest, Plan
from modelyard.core.server_image import ServerImage

NOW = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
NAMESPACE = "team-a"
TRAINING_UID = "11111111-2222-4333-8444-555555555555"
SERVING_UID = "66666666-7777-4888-8999-000000000000"
SELDON_UID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


SERVER_IMAGE = ServerImage(
    image="modelyard/model-server:*",
    python="3.11",
    mlflow="3.17.2",
    flavours=frozenset({"python_function", "sklearn"}),
    libraries={"scikit-learn": "1.9.1", "numpy": "2.4.6"},
)


def make_card(**changes: object) -> ModelCard:
    """A scikit-learn model that suits the server image."""
    usual = ModelCard(
        flavours=("sklearn",),
        loader="mlflow.sklearn",
        python="3.11.7",
        mlflow="3.17.2",
        is_pickled=True,
        requirements=(("numpy", "2.4.6"), ("scikit-learn", "1.9.1")),
        signature=Signature((Column("x", "double"),), (Column("y", "long"),)),
    )
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


def seconds_ago(seconds: float) -> str:
    """A time before NOW, as Kubernetes writes it."""
    return clock.to_text(NOW - timedelta(seconds=seconds))


def make_context(**changes: object) -> Context:
    """An installation with MLflow behind basic authentication."""
    usual = Context(
        cluster="c1c1c1c1-0000-4000-8000-000000000001",
        trainer_image="modelyard/trainer:test",
        server_image="modelyard/model-server:test",
        fetcher_image="modelyard/model-fetcher:test",
        source_image="modelyard/source-fetcher:test",
        image_pull_policy="IfNotPresent",
        tracking_uri="http://mlflow.mlflow:5000",
        credentials_secret="mlflow-credentials",
        ca_config_map="",
        default_backend="SeldonDeployment",
        service_url="http://{service}.{namespace}:{port}",
        alias_poll_seconds=10.0,
        tracking_ui_url="https://mlflow.example.com",
        server_images=(SERVER_IMAGE,),
    )
    return dataclasses.replace(usual, **changes)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Builder:
    """Holds a manifest; every step gives a new builder."""

    manifest: Manifest

    def changed(self, *path: str, to: object) -> Self:
        """With one field set."""
        manifest = copy.deepcopy(self.manifest)
        holder = manifest
        for name in path[:-1]:
            holder = holder.setdefault(name, {})
        holder[path[-1]] = to
        return dataclasses.replace(self, manifest=manifest)

    def build(self) -> Manifest:
        """The manifest."""
        return copy.deepcopy(self.manifest)


@dataclasses.dataclass(frozen=True)
class ResourceBuilder(Builder):
    """One of our own objects."""

    def with_spec(self, **fields: object) -> Self:
        """With fields of spec, by their names in YAML."""
        return self.changed("spec", to=self.manifest["spec"] | fields)

    def with_status(self, status: object) -> Self:
        """With a status."""
        return self.changed("status", to=status)

    def with_uid(self, uid: str) -> Self:
        """With another UID."""
        return self.changed("metadata", "uid", to=uid)

    def edited(self) -> Self:
        """With the next generation, as after a change of spec."""
        return self.changed("metadata", "generation", to=self.manifest["metadata"]["generation"] + 1)

    def after(self, plan: Plan) -> Self:
        """With the status that a plan wants."""
        return self if plan.status is None else self.with_status(copy.deepcopy(dict(plan.status)))

    def with_pod_template(self, **fields: object) -> Self:
        """With a podTemplate."""
        return self.with_spec(podTemplate=fields)


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


@dataclasses.dataclass(frozen=True)
class JobBuilder(Builder):
    """The Job of one attempt."""

    def complete(self, seconds_before: float = 5) -> Self:
        """Its pod succeeded."""
        return self._with_condition("Complete", "CompletionsReached", seconds_before)

    def failed(self, seconds_before: float = 5) -> Self:
        """Its pod failed."""
        return self._with_condition("Failed", "BackoffLimitExceeded", seconds_before)

    def terminating(self) -> Self:
        """Deleted, but still there."""
        return self.changed("metadata", "deletionTimestamp", to=seconds_ago(1))

    def _with_condition(self, kind: str, reason: str, seconds_before: float) -> Self:
        at = seconds_ago(seconds_before)
        condition = {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": at}
        return self.changed("status", "conditions", to=[condition])


INDEX = "batch.kubernetes.io/job-completion-index"


def make_job(resource: Manifest, attempt: int = 1, run_id: str | None = None) -> JobBuilder:
    """An attempt's Job, just made."""
    name = metadata.job_name(resource, attempt)
    body = metadata.child_metadata(resource, name, {names.LABEL_ATTEMPT: str(attempt)})
    body |= {
        "uid": f"job-uid-{attempt}",
        "creationTimestamp": seconds_ago(60),
        "annotations": {names.ANNOTATION_RUN_ID: run_id or f"run-{attempt}", names.ANNOTATION_EXPERIMENT_ID: "7"},
    }
    nodes = resource["spec"].get("nodes", 1)
    spec = {"spec": {"completions": nodes, "completionMode": "Indexed"}} if nodes > 1 else {}
    return JobBuilder({"apiVersion": "batch/v1", "kind": "Job", "metadata": body, **spec, "status": {}})


@dataclasses.dataclass(frozen=True)
class PodBuilder(Builder):
    """A pod; `container` is the one that it is for."""

    container: str = "trainer"

    def running(self, node: str = "node-1") -> Self:
        """Its container runs."""
        return self._at(node)._with_phase("Running", {"state": {"running": {}}, "ready": True})

    def starting(self, node: str = "node-1") -> Self:
        """Scheduled, and nothing more."""
        waiting = {"state": {"waiting": {"reason": "ContainerCreating"}}}
        return self._at(node)._with_phase("Pending", waiting)

    def succeeded(self, seconds_before: float = 6) -> Self:
        """Its container ended with 0."""
        return self._at("node-1")._with_phase("Succeeded", _terminated(0, "Completed", seconds_before))

    def failed(self, exit_code: int = 1, message: str = "", seconds_before: float = 6) -> Self:
        """Its container ended with something else."""
        return self._at("node-1")._with_phase("Failed", _terminated(exit_code, "Error", seconds_before, message))

    def out_of_memory(self) -> Self:
        """Its container was killed at its memory limit."""
        return self._at("node-1")._with_phase("Failed", _terminated(137, "OOMKilled", 6))

    def evicted(self) -> Self:
        """The kubelet took it away."""
        failed = self.failed(137).changed("status", "reason", to="Evicted")
        return failed.changed("status", "message", to="The node was low on resource: memory.")

    def disrupted(self, reason: str) -> Self:
        """The control plane took it away."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
        return self.failed(137).changed("status", "conditions", to=[condition])

    def unschedulable(self, message: str = "0/1 nodes are available: 1 Insufficient memory.") -> Self:
        """No node takes it."""
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        return self.changed("status", to={"phase": "Pending", "conditions": [condition]})

    def without_image(self, image: str = "example.com/none:1") -> Self:
        """Its image cannot be pulled."""
        waiting = {"image": image, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        return self._at("node-1")._with_phase("Pending", waiting)

    def crashing(self, message: str, exit_code: int = 1) -> Self:
        """Its container ends again and again."""
        ended = {"exitCode": exit_code, "reason": "Error", "message": message}
        item = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": ended}}
        return self._at("node-1")._with_phase("Running", item | {"ready": False, "restartCount": 3})

    def with_failed_helper(self, name: str, reason: str, message: str) -> Self:
        """An init container of ours said why it failed."""
        said = json.dumps({"reason": reason, "message": message})
        ended = {"exitCode": 1, "reason": "Error", "message": said}
        item = {"name": name, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 2}
        waiting = self.starting()
        return waiting.changed("status", "initContainerStatuses", to=[item | {"lastState": {"terminated": ended}}])

    def helped_by(self, name: str, state: Manifest) -> Self:
        """With the state of one init container, while or after it runs."""
        item = {"name": name, "restartCount": 0, "state": state}
        known = self.manifest["status"].get("initContainerStatuses") or []
        return self.changed("status", "initContainerStatuses", to=[*known, item])

    def fetched(self, commit: str) -> Self:
        """Its code was fetched at this commit."""
        said = json.dumps({"revision": commit, "seconds": 0.5})
        return self.helped_by("modelyard-source", {"terminated": {"exitCode": 0, "message": said}})

    def preparing(self) -> Self:
        """Its data is being prepared."""
        return self.starting().helped_by("prepare", {"running": {}})

    def failed_to_prepare(self, exit_code: int = 1, message: str = "", reason: str = "Error") -> Self:
        """Its data could not be prepared."""
        ended = {"exitCode": exit_code, "reason": reason, "message": message, "finishedAt": seconds_ago(6)}
        failed = self.starting().changed("status", "phase", to="Failed")
        return failed.helped_by("prepare", {"terminated": ended})

    def started(self, seconds_before: float) -> Self:
        """Its container tells since when it runs."""
        [item] = self.manifest["status"]["containerStatuses"]
        state = {"running": {"startedAt": seconds_ago(seconds_before)}}
        return self.changed("status", "containerStatuses", to=[item | {"state": state}])

    def terminating(self) -> Self:
        """Deleted, in its grace period."""
        return self.changed("metadata", "deletionTimestamp", to=seconds_ago(1))

    def _at(self, node: str) -> Self:
        return self.changed("spec", "nodeName", to=node)

    def _with_phase(self, phase: str, item: Manifest) -> Self:
        return self.changed("status", to={"phase": phase, "containerStatuses": [{"name": self.container} | item]})


def _terminated(exit_code: int, reason: str, seconds_before: float, message: str = "") -> Manifest:
    ended = {"exitCode": exit_code, "reason": reason, "finishedAt": seconds_ago(seconds_before)}
    return {"state": {"terminated": ended | ({"message": message} if message else {})}}


def make_pod(resource: Manifest, attempt: int = 1, index: int | None = None) -> PodBuilder:
    """The pod of an attempt, or one of several, not scheduled yet."""
    place = "" if index is None else f"-{index}"
    name = f"{metadata.job_name(resource, attempt)}{place}-x7k2p"
    labels = metadata.owner_labels(resource) | {names.LABEL_ATTEMPT: str(attempt)}
    owner = {"apiVersion": "batch/v1", "kind": "Job", "uid": f"job-uid-{attempt}", "controller": True}
    body = {"name": name, "namespace": NAMESPACE, "labels": labels, "ownerReferences": [owner]}
    if index is not None:
        body["annotations"] = {INDEX: str(index)}
    return PodBuilder({"apiVersion": "v1", "kind": "Pod", "metadata": body, "status": {"phase": "Pending"}})


def make_serving_pod(resource: Manifest, version: str = "1", predictor: str = STABLE) -> PodBuilder:
    """A pod of a predictor, not scheduled yet."""
    labels = pod_labels(resource, Predictor(predictor, version, 1))
    body = {"name": f"{resource['metadata']['name']}-v{version}-x7k2p", "namespace": NAMESPACE, "labels": labels}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": body, "status": {"phase": "Pending"}}
    return PodBuilder(manifest, container="model")


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
