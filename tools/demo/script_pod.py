"""A pod that runs a script of this repository with nothing but Python, under Pod Security `restricted`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import Kubectl

_FOLDER = "/script"
_REQUEST = "request.json"


@dataclass(frozen=True)
class ScriptPod:
    """What runs, and where."""

    kubectl: Kubectl
    namespace: str
    name: str
    image: str
    """Any image with Python."""
    scripts: Sequence[Path]
    """The script, and the modules of this repository that it imports."""
    request: Mapping[str, Any]
    """What it sends, handed to it as a file."""
    limit_seconds: int
    """The pod ends by itself after this time, whatever becomes of who started it."""

    @property
    def request_file(self) -> str:
        """The request's path in the pod."""
        return f"{_FOLDER}/{_REQUEST}"

    def start(self, *arguments: str) -> None:
        """Starts the first script and waits until it runs; raises KubectlError."""
        self.kubectl.run("apply", "--server-side", "--filename", "-", stdin=json.dumps(self.manifests(arguments)))
        self._on_pod("wait", "--for=condition=Ready", "--timeout=120s")

    def stop(self) -> None:
        """Ends the pod; raises KubectlError."""
        self._on_pod("delete", "--ignore-not-found", "--timeout=60s")

    def log(self, *options: str) -> list[str]:
        """The lines it has printed, oldest first; raises KubectlError."""
        return self.kubectl.run("logs", "--namespace", self.namespace, self.name, *options).splitlines()

    def manifests(self, arguments: Sequence[str]) -> dict[str, Any]:
        """The pod and the ConfigMap with its files."""
        metadata = {"name": self.name, "namespace": self.namespace}
        # A ConfigMap's keys hold no slash; the volume puts each file where Python looks for it.
        keys = {str(file.relative_to(CHECKOUT)).replace("/", "."): file for file in self.scripts}
        data = {key: file.read_text("utf-8") for key, file in keys.items()} | {_REQUEST: json.dumps(self.request)}
        items = [{"key": key, "path": str(file.relative_to(CHECKOUT))} for key, file in keys.items()]
        volume = {"name": self.name, "items": [*items, {"key": _REQUEST, "path": _REQUEST}]}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "activeDeadlineSeconds": self.limit_seconds,
            "terminationGracePeriodSeconds": 2,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [self._container(arguments)],
            "volumes": [{"name": "script", "configMap": volume}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        return {"apiVersion": "v1", "kind": "List", "items": [config, pod]}

    def _container(self, arguments: Sequence[str]) -> dict[str, Any]:
        script = f"{_FOLDER}/{self.scripts[0].relative_to(CHECKOUT)}"
        return {
            "name": "script",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", script, *arguments],
            "env": [{"name": "PYTHONPATH", "value": _FOLDER}],
            "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "script", "mountPath": _FOLDER}],
        }

    def _on_pod(self, verb: str, *options: str) -> None:
        self.kubectl.run(verb, "--namespace", self.namespace, *options, f"pod/{self.name}")
