"""A Deployment of the measurement's own, with the pods of a ModelDeployment: what Kubernetes alone takes to switch."""

import copy
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.demo.objects import Manifest
from tools.demo.screen import DemoError
from tools.seldon_standin.install import Kubectl

NAME = "bare"
_LABELS = {"app": NAME}


@dataclass(frozen=True)
class BareDeployment:
    """The Deployment and its Service."""

    kubectl: Kubectl
    namespace: str
    templates: Mapping[str, Manifest]
    """The pods' templates by model version."""

    @property
    def url(self) -> str:
        """Where it answers predictions."""
        return f"http://{NAME}.{self.namespace}.svc:9000/v2/models/model/infer"

    def create(self, version: str) -> None:
        """Makes it and waits until it answers; raises KubectlError."""
        deployment = self._manifest("apps/v1", "Deployment") | {
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": _LABELS},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
                "template": self.templates[version],
            }
        }
        service = self._manifest("v1", "Service") | {"spec": {"selector": _LABELS, "ports": [{"port": 9000}]}}
        what = {"apiVersion": "v1", "kind": "List", "items": [deployment, service]}
        self.kubectl.run("apply", "--server-side", "--filename", "-", stdin=json.dumps(what))
        self.await_rollout()

    def switch(self, version: str) -> float:
        """Patches the template; the Unix time right before. Raises KubectlError."""
        patch = json.dumps({"spec": {"template": self.templates[version]}})
        at = time.time()
        self.kubectl.run("patch", "--namespace", self.namespace, f"deployment/{NAME}", f"--patch={patch}")
        return at

    def await_rollout(self) -> None:
        """Waits until the last template is all there is; raises KubectlError."""
        self.kubectl.run("rollout", "status", "--namespace", self.namespace, f"deployment/{NAME}", "--timeout=170s")

    def pod_url(self) -> str:
        """The one pod's own address, past the Service; raises KubectlError, DemoError."""
        text = self.kubectl.run(
            "get", "pods", "--namespace", self.namespace, "--selector", f"app={NAME}", "--output=json"
        )
        pods = [pod for pod in json.loads(text)["items"] if not pod["metadata"].get("deletionTimestamp")]
        if len(pods) != 1:
            raise DemoError(f"there are {len(pods)} pods of the Deployment {NAME}, not one")
        return f"http://{pods[0]['status']['podIP']}:9000/v2/models/model/infer"

    def _manifest(self, api_version: str, kind: str) -> dict[str, Any]:
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": NAME, "namespace": self.namespace, "labels": _LABELS},
        }


def template_of(kubectl: Kubectl, namespace: str, owner: str) -> Manifest:
    """The template of the one Deployment that serves this ModelDeployment, under labels of the measurement's own.

    Raises:
        KubectlError, DemoError: there is not exactly one.
    """
    selector = f"modelyard.io/owner-kind=ModelDeployment,modelyard.io/owner-name={owner}"
    found = json.loads(
        kubectl.run("get", "deployments", "--namespace", namespace, "--selector", selector, "--output=json")
    )["items"]
    if len(found) != 1:
        raise DemoError(f"{len(found)} Deployments serve the ModelDeployment {owner}, not one")
    template: Manifest = copy.deepcopy(found[0]["spec"]["template"])
    template["metadata"] = {"labels": _LABELS}
    return template
