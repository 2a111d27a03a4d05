"""Promotions of one registered model; the pods that compute digests do what the test lets them do."""

import hashlib
import json
from typing import Any

from support.kube import Manifest
from support.manifests import promotion, promotion_policy
from support.world import World, condition


def digest_of(version: str) -> str:
    """What the pod says of a version's files."""
    return "sha256:" + hashlib.sha256(version.encode()).hexdigest()


class Promoting:
    """A registered model of the test's own, with a champion and whatever else is made of it."""

    def __init__(self, world: World, champion_accuracy: float = 0.9, model: str = "") -> None:
        self.world = world
        self.model = model or f"{world.namespace}.digits"
        self.make(champion_accuracy, "champion")

    def make(self, accuracy: float, *aliases: str) -> str:
        """A version with this accuracy, with aliases; its number."""
        version = self.world.tracking.make_version(self.model, accuracy=accuracy)
        for alias in aliases:
            self.world.tracking.point(self.model, alias, version)
        return version

    @property
    def champion(self) -> str | None:
        """The version that the alias points at."""
        return self.world.tracking.holder(self.model)

    def policy(self, name: str = "digits", **spec: object) -> Manifest:
        """A policy from candidate to champion."""
        return self.world.apply(promotion_policy(name, self.model, **spec))

    def by_hand(self, version: str, name: str = "by-hand", **spec: object) -> Manifest:
        """A Promotion made by hand."""
        return self.world.create(promotion(name, self.model, version, **spec))

    def get(self, name: str) -> Manifest:
        """A Promotion, waited for."""
        return self.world.until(lambda: self.world.get("Promotion", name), f"Promotion {name} is made")

    def result(self, name: str) -> dict[str, Any]:
        """What its condition Complete says."""
        return condition(self.get(name), "Complete")

    def until(self, name: str, reason: str, seconds: float = 30.0) -> Manifest:
        """The Promotion once its column RESULT says so."""

        def probe() -> bool:
            return self.result(name).get("reason") == reason

        self.world.until(probe, f"Promotion {name} says {reason}", seconds)
        return self.get(name)

    def until_policy(self, reason: str, name: str = "digits") -> dict[str, Any]:
        """The policy's condition Ready once it gives this reason."""

        def probe() -> dict[str, Any] | None:
            said = condition(self.world.get("PromotionPolicy", name), "Ready")
            return said if said.get("reason") == reason else None

        return self.world.until(probe, f"PromotionPolicy {name} says {reason}")

    def pods(self, name: str) -> list[Manifest]:
        """The pods that compute the digest of a Promotion's version."""
        uid = self.get(name)["metadata"]["uid"]
        return self.world.items("Pod", f"modelyard.io/owner-uid={uid}")

    def pod(self, name: str) -> Manifest:
        """Such a pod, waited for."""
        return self.world.until(lambda: self.pods(name), f"a pod for Promotion {name}")[0]

    def hash(self, name: str) -> None:
        """Its pod tells the digest."""
        pod, version = self.pod(name), self.get(name)["spec"]["model"]["version"]
        said = json.dumps({"digest": digest_of(version), "files": 3})
        self.world.kubelet.finish(pod, "Succeeded", exitCode=0, reason="Completed", message=said)

    def promote(self, name: str) -> Manifest:
        """It goes all the way."""
        self.hash(name)
        return self.until(name, "Promoted")
