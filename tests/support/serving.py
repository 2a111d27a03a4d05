"""One ModelDeployment and everything that belongs to it."""

from typing import Any

from support.kube import Manifest, Refused
from support.manifests import model_deployment
from support.world import World, condition

VERSION_LABEL = "modelyard.io/model-version"
PREDICTOR_LABEL = "modelyard.io/predictor"


class Serving:
    """Applied when made; its pods do what the test lets them do."""

    def __init__(self, world: World, name: str = "digits", **spec: object) -> None:
        self.world = world
        self.name = name
        self.uid = str(world.apply(model_deployment(name, **spec))["metadata"]["uid"])

    @property
    def live(self) -> Manifest:
        """The object as it is now; an AssertionError when it is gone."""
        found = self.world.get("ModelDeployment", self.name)
        assert found is not None, f"ModelDeployment {self.name} is gone"
        return found

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty before there is one."""
        return self.live.get("status") or {}

    @property
    def stable_version(self) -> str | None:
        """The version that serves, as status says."""
        return (self.status.get("stable") or {}).get("version")

    def condition(self, kind: str) -> dict[str, Any]:
        """One condition, empty while it is not stated."""
        return condition(self.live, kind)

    def pods(self, version: str) -> list[Manifest]:
        """The pods that serve one version and are to stay."""
        found = self.world.items("Pod", f"modelyard.io/owner-uid={self.uid},{VERSION_LABEL}={version}")
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def pods_of(self, predictor: str) -> list[Manifest]:
        """The pods of one predictor that are to stay."""
        found = self.world.items("Pod", f"modelyard.io/owner-uid={self.uid},{PREDICTOR_LABEL}={predictor}")
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    @property
    def canary(self) -> dict[str, Any]:
        """What status says of the canary, empty while there is none."""
        return self.status.get("canary") or {}

    def annotate(self, name: str, value: str | None) -> None:
        """What `kubectl annotate` does."""
        change = {"metadata": {"annotations": {f"modelyard.io/{name}": value}}}
        self.world.kube.patch("ModelDeployment", self.world.namespace, self.name, change)

    def bring_the_canary_up(self, version: str, *, weight: int) -> None:
        """The canary's pods are ready and answer, and the operator has given them this share."""
        self.world.servers.answer(self.world.namespace, f"{self.name}-canary", version)

        def has_share() -> bool:
            self.make_ready(version)
            return (self.canary.get("version"), self.canary.get("weight")) == (version, weight)

        self.world.until(has_share, f"the canary {version} gets {weight} % of the traffic")

    def take_up(self, version: str) -> None:
        """The stable pods of this version are ready and answer, and nothing is left to do."""
        self.world.servers.answer(self.world.namespace, self.name, version)

        def is_taken_up() -> bool:
            self.make_ready(version)
            return self.serves(version) and not self.canary

        self.world.until(is_taken_up, f"version {version} is taken up")

    def pod(self, version: str) -> Manifest:
        """A pod of this version, waited for."""
        return self.world.until(lambda: self.pods(version), f"a pod of version {version}")[0]

    def come_up(self, version: str) -> None:
        """The pods of this version are ready and answer, and the operator has said so."""
        self.pod(version)
        self.world.servers.answer(self.world.namespace, self.name, version)
        self.world.until(lambda: self.make_ready(version) or self.serves(version), f"version {version} serves")

    def make_ready(self, version: str) -> None:
        """Every pod of this version that is there becomes ready."""
        for pod in self.pods(version):
            if condition(pod, "Ready").get("status") != "True":
                try:
                    self.world.kubelet.make_ready(pod)
                except Refused as refusal:
                    if refusal.status != 404:
                        raise

    def serves(self, version: str) -> bool:
        """Whether status says that exactly this version serves, and that nothing is left to do."""
        is_settled = not self.condition("Reconciling") and not self.condition("Stalled")
        return self.stable_version == version and self.condition("Ready").get("status") == "True" and is_settled

    def until_ready_says(self, status: str, reason: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait for what the columns READY and REASON say; the condition."""

        def probe() -> dict[str, Any] | None:
            said = self.condition("Ready")
            return said if (said.get("status"), said.get("reason")) == (status, reason) else None

        return self.world.until(probe, f"Ready is {status}, {reason}", seconds)
