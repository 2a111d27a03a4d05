"""Jobs and pods, as the control plane and the kubelet write them."""

import dataclasses
import json
from typing import Self

from building.base import (
    NAMESPACE,
    Builder,
    seconds_ago,
)
from modelyard.api import names
from modelyard.core import metadata
from modelyard.core.model_deployment.layout import STABLE, Predictor
from modelyard.core.model_deployment.pod import pod_labels
from modelyard.core.plan import Manifest


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
