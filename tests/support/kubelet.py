"""Plays the node: no kubelet runs here, and what becomes of a pod is the test's to say."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from support.kube import Kube, Manifest, Refused, path_of

NODE = "node-1"
_HELD = "tests.modelyard.io/held"


class Kubelet:
    """Writes pods' statuses. In a thread of its own it lets deleted pods go, as every kubelet does."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._stopping = threading.Event()
        self._reaper = threading.Thread(target=self._reap, args=(kube.for_another_thread(),), daemon=True)

    def start(self) -> None:
        """Register the node and begin to let deleted pods go."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._kube.apply(node)
        self._reaper.start()

    def stop(self) -> None:
        """Leave terminating pods alone from now on."""
        self._stopping.set()
        self._reaper.join(10)

    def bind(self, pod: Manifest) -> None:
        """The pod is given to this node, and nothing more."""
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE},
        }
        self._kube.send("POST", path_of("Pod", metadata["namespace"], metadata["name"], "binding"), binding)

    def run(self, pod: Manifest, clock_ahead: timedelta = timedelta(0)) -> None:
        """The pod is scheduled here and its main container runs; the node's clock may be another."""
        if not pod["spec"].get("nodeName"):
            self.bind(pod)
        now = _now(clock_ahead)
        running = _status(pod, {"running": {"startedAt": now}})
        self._write(pod, phase="Running", startTime=now, containerStatuses=[running])

    def succeed(self, pod: Manifest) -> None:
        """The main container ended with 0."""
        self.finish(pod, "Succeeded", exitCode=0, reason="Completed")

    def fail(self, pod: Manifest, exit_code: int = 1, message: str = "") -> None:
        """The main container ended with an error."""
        self.finish(pod, "Failed", exitCode=exit_code, reason="Error", message=message)

    def run_out_of_memory(self, pod: Manifest) -> None:
        """The main container used more than its limit."""
        self.finish(pod, "Failed", exitCode=137, reason="OOMKilled")

    def evict(self, pod: Manifest) -> None:
        """The kubelet took the pod away, short of a resource."""
        self._write(pod, phase="Failed", reason="Evicted", message="The node was low on resource: memory.")

    def is_to_evict(self, pod: Manifest) -> None:
        """The control plane takes the pod away, as for a drained node; its node holds on to it until `let_go`."""
        metadata = pod["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        held = [*metadata.get("finalizers", []), _HELD]
        self._kube.patch("Pod", namespace, name, {"metadata": {"finalizers": held}})
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        self._kube.send("POST", path_of("Pod", namespace, name, "eviction"), eviction)

    def let_go(self, pod: Manifest) -> None:
        """Let a pod go that was held."""
        metadata = pod["metadata"]
        live = self._kube.get("Pod", metadata["namespace"], metadata["name"])
        if live is not None:
            kept = [name for name in live["metadata"].get("finalizers", []) if name != _HELD]
            change = {"metadata": {"finalizers": kept or None}}
            self._kube.patch("Pod", metadata["namespace"], metadata["name"], change)

    def finish(self, pod: Manifest, phase: str, **terminated: Any) -> None:
        """The main container ended."""
        end = {"startedAt": _now(), "finishedAt": _now(), **terminated}
        self._write(pod, phase=phase, containerStatuses=[_status(pod, {"terminated": end})])

    def make_ready(self, pod: Manifest) -> None:
        """All containers run, and the readiness probe is answered."""
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": _now()}
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        running = _status(pod, {"running": {"startedAt": _now()}}) | {"ready": True, "started": True}
        self._write(pod, phase="Running", conditions=conditions, containerStatuses=[running], podIP=ip_of(pod))

    def fail_init(self, pod: Manifest, message: str, exit_code: int = 1) -> None:
        """The init container ended with an error and is to be started again."""
        end = {"exitCode": exit_code, "reason": "Error", "message": message, "finishedAt": _now()}
        item = _status(pod, {"waiting": {"reason": "CrashLoopBackOff"}}, "initContainers")
        item |= {"lastState": {"terminated": end}, "restartCount": 1}
        self._write(pod, phase="Pending", initContainerStatuses=[item])

    def run_helper(self, pod: Manifest, name: str) -> None:
        """An init container runs."""
        if not pod["spec"].get("nodeName"):
            self.bind(pod)
        item = _helper_status(pod, name, {"running": {"startedAt": _now()}})
        self._write_helper(pod, "Pending", item)

    def end_helper(self, pod: Manifest, name: str, exit_code: int = 0, message: str = "", reason: str = "") -> None:
        """An init container ended; with an error the whole pod did, because nothing is started again."""
        said = reason or ("Error" if exit_code else "Completed")
        end = {"exitCode": exit_code, "reason": said, "message": message, "startedAt": _now(), "finishedAt": _now()}
        item = _helper_status(pod, name, {"terminated": end})
        self._write_helper(pod, "Failed" if exit_code else "Pending", item)

    def miss_image(self, pod: Manifest) -> None:
        """The main container's image is not there."""
        waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
        self._write(pod, phase="Pending", containerStatuses=[_status(pod, {"waiting": waiting})])

    def refuse(self, pod: Manifest, message: str) -> None:
        """The scheduler finds no node for the pod."""
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        self._write(pod, phase="Pending", conditions=[condition | {"lastTransitionTime": _now()}])

    def _write_helper(self, pod: Manifest, phase: str, item: Manifest) -> None:
        """One init container's status, beside what is known of the others."""
        metadata = pod["metadata"]
        live = self._kube.get("Pod", metadata["namespace"], metadata["name"]) or {}
        known = live.get("status", {}).get("initContainerStatuses") or []
        others = [status for status in known if status["name"] != item["name"]]
        self._write(pod, phase=phase, initContainerStatuses=[*others, item])

    def _write(self, pod: Manifest, **status: Any) -> None:
        metadata = pod["metadata"]
        self._kube.patch("Pod", metadata["namespace"], metadata["name"], {"status": status}, "status")

    def _reap(self, kube: Kube) -> None:
        while not self._stopping.wait(0.3):
            try:
                for pod in kube.items("Pod"):
                    metadata = pod["metadata"]
                    if metadata.get("deletionTimestamp"):
                        kube.delete("Pod", metadata["namespace"], metadata["name"], gracePeriodSeconds=0)
            except (Refused, requests.RequestException):
                continue  # the API server is stopped, or somebody else was faster


def ip_of(pod: Manifest) -> str:
    """The address that a pod gets."""
    first, second, third, *_ = hashlib.sha256(pod["metadata"]["uid"].encode()).digest()
    return f"10.{first}.{second}.{third}"


def image_id_of(image: str) -> str:
    """What a node tells of an image: the digest of what it pulled."""
    name, digest = image.rpartition(":")[0], hashlib.sha256(image.encode()).hexdigest()
    return f"docker.io/{name}@sha256:{digest}"


def _status(pod: Manifest, state: Manifest, containers: str = "containers") -> Manifest:
    """The status of a pod's first container."""
    container = pod["spec"][containers][0]
    fixed = {"imageID": image_id_of(container["image"]), "ready": False, "restartCount": 0}
    return {"name": container["name"], "image": container["image"], "state": state, **fixed}


def _helper_status(pod: Manifest, name: str, state: Manifest) -> Manifest:
    """The status of one init container."""
    container = next(item for item in pod["spec"]["initContainers"] if item["name"] == name)
    fixed = {"imageID": "", "ready": False, "restartCount": 0}
    return {"name": name, "image": container["image"], "state": state, **fixed}


def _now(ahead: timedelta = timedelta(0)) -> str:
    return (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
