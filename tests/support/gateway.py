"""Gateway API without a gateway: its definitions are real, and what a controller would say is written by the test."""

from typing import Any

import yaml

from support.kube import Kube, Manifest
from support.waiting import eventually
from support.world import World
from tools.gateway.definitions import definitions

CLASS, GATEWAY = "played", "web"
REWRITES = "HTTPRoutePathRewrite"


class GatewayApi:
    """The kinds of Gateway API in a cluster."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._names: list[str] = []

    def install(self) -> None:
        """Define the kinds; returns once they are served."""
        for file in definitions():
            definition = yaml.load(file.read_text(), yaml.CSafeLoader)
            self._names.append(definition["metadata"]["name"])
            self._kube.apply(definition)
        for name in self._names:
            eventually(lambda name=name: self._is_established(name), f"{name} is served", str)  # type: ignore[misc]

    def remove(self) -> None:
        """Take the kinds away, and all objects of them."""
        for name in self._names:
            self._kube.delete("CustomResourceDefinition", "", name)
        for name in self._names:
            gone = lambda name=name: self._kube.get("CustomResourceDefinition", "", name) is None  # noqa: E731
            eventually(gone, f"{name} is gone", str)

    def _is_established(self, name: str) -> bool:
        found = self._kube.get("CustomResourceDefinition", "", name) or {}
        conditions = (found.get("status") or {}).get("conditions") or []
        return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)


class Controller:
    """Plays the controller of a Gateway in a test's namespace."""

    def __init__(self, world: World, *features: str) -> None:
        self.world = world
        self.kube = world.kube
        group = "gateway.networking.k8s.io/v1"
        self.class_name = f"{CLASS}-{world.namespace}"
        spec: Manifest = {"controllerName": "example.org/played"}
        self.kube.apply(
            {"apiVersion": group, "kind": "GatewayClass", "metadata": {"name": self.class_name}, "spec": spec}
        )
        self.support(*features)
        listeners = [{"name": "http", "protocol": "HTTP", "port": 8000}]
        spec = {"gatewayClassName": self.class_name, "listeners": listeners}
        world.apply({"apiVersion": group, "kind": "Gateway", "metadata": {"name": GATEWAY}, "spec": spec})

    def support(self, *features: str) -> None:
        """What the class says that it can do."""
        accepted = _condition("Accepted", "True", "Accepted", "", 1)
        status = {"conditions": [accepted], "supportedFeatures": [{"name": name} for name in features]}
        self.kube.patch("GatewayClass", "", self.class_name, {"status": status}, "status")

    def vouching(self, *features: str) -> str:
        """The command that says it of the Gateway, where its class says nothing."""
        annotation = f"modelyard.io/supported-features={','.join(features)}"
        return f"kubectl annotate --overwrite -n {self.world.namespace} gateway {GATEWAY} {annotation}"

    def is_vouched_for(self, *features: str) -> None:
        """What that command does."""
        annotations = {"modelyard.io/supported-features": ",".join(features)}
        self.kube.patch("Gateway", self.world.namespace, GATEWAY, {"metadata": {"annotations": annotations}})

    def route(self, name: str) -> Manifest:
        """The HTTPRoute, waited for."""
        return self.world.until(lambda: self.world.get("HTTPRoute", name), f"HTTPRoute {name}")

    def shares(self, name: str) -> dict[str, int]:
        """What the HTTPRoute gives to each Service."""
        [rule] = self.route(name)["spec"]["rules"]
        return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}

    def says(self, name: str, accepted: str = "True", reason: str = "Accepted", message: str = "") -> None:
        """Answer to the HTTPRoute as it is now."""
        route = self.route(name)
        generation = route["metadata"]["generation"]
        conditions = [
            _condition("Accepted", accepted, reason, message, generation),
            _condition("ResolvedRefs", "True", "ResolvedRefs", "", generation),
        ]
        parent = {"parentRef": route["spec"]["parentRefs"][0], "controllerName": "example.org/played"}
        status = {"parents": [parent | {"conditions": conditions}]}
        self.kube.patch("HTTPRoute", self.world.namespace, name, {"status": status}, "status")


def _condition(kind: str, status: str, reason: str, message: str, generation: int) -> dict[str, Any]:
    said = {"type": kind, "status": status, "reason": reason, "message": message}
    return said | {"observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}
