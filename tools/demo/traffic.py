"""The trickle of requests seen from outside: the pod that sends it, and what its counts say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.seldon_standin.install import Kubectl

NAME = "trickle"
LIMIT_SECONDS = 900
"""The pod ends by itself after this time, whatever becomes of the demo."""
_SCRIPT = Path(__file__).with_name("trickle.py")
_FOLDER = "/trickle"


@dataclass(frozen=True)
class Counts:
    """What the pod has counted so far."""

    answers: Mapping[str, int]
    """Answers by the model version that gave them."""
    failures: int
    errors: tuple[str, ...]
    """The first failures in words."""
    newest: str | None
    """The version that answered last."""
    alone_seconds: float
    """How long only that version has answered."""

    def has_settled_on(self, version: str, seconds: float) -> bool:
        """Whether this version alone has answered for so long."""
        return self.newest == version and self.alone_seconds >= seconds

    def __str__(self) -> str:
        """One line for the screen."""
        told = [f"version {version}: {count} answers" for version, count in self.answers.items()]
        return ", ".join([*told, f"{self.failures} failed"])


def parse_counts(line: str) -> Counts | None:
    """The counts in a line of the pod's log; None where it is none."""
    try:
        data = json.loads(line)
        return Counts(
            data["answers"], data["failures"], tuple(data["errors"]), data["newest"], float(data["alone_seconds"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def manifests(namespace: str, image: str, url: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The pod and its ConfigMap; the image needs Python."""
    metadata = {"name": NAME, "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"trickle.py": _SCRIPT.read_text("utf-8"), "request.json": json.dumps(request)},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "activeDeadlineSeconds": LIMIT_SECONDS,
            "terminationGracePeriodSeconds": 2,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(image, url)],
            "volumes": [{"name": NAME, "configMap": {"name": NAME}}],
        },
    }
    return {"apiVersion": "v1", "kind": "List", "items": [config, pod]}


def _container(image: str, url: str) -> dict[str, Any]:
    """The one container."""
    arguments = [f"{_FOLDER}/trickle.py", url, f"{_FOLDER}/request.json", str(LIMIT_SECONDS)]
    return {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", *arguments],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": NAME, "mountPath": _FOLDER}],
    }


class Trickle:
    """The running pod."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self._namespace = namespace

    def start(self, image: str, url: str, request: Mapping[str, Any]) -> None:
        """Starts the pod and waits until it runs; raises KubectlError."""
        what = json.dumps(manifests(self._namespace, image, url, request))
        self._kubectl.run("apply", "--server-side", "--filename", "-", stdin=what)
        self._on_pod("wait", "--for=condition=Ready", "--timeout=120s")

    def counts(self) -> Counts | None:
        """The newest counts, None before the first; raises KubectlError."""
        return parse_counts(self._kubectl.run("logs", "--namespace", self._namespace, NAME, "--tail=1").strip())

    def stop(self) -> None:
        """Ends the pod; raises KubectlError."""
        self._on_pod("delete", "--ignore-not-found", "--timeout=60s")

    def _on_pod(self, verb: str, *options: str) -> None:
        self._kubectl.run(verb, "--namespace", self._namespace, *options, f"pod/{NAME}")
