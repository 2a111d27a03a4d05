"""A world in which Promotions move one alias: MLflow, the digest's Job, and people who interfere."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import builders
from modelyard.core.plan import Failure, Manifest, Question
from modelyard.core.promotion import observed as of_promotion
from modelyard.core.promotion import plan as promotion_plan
from modelyard.core.promotion.digest import CONTAINER
from modelyard.core.promotion_policy import observed as of_policy
from modelyard.core.promotion_policy import plan as policy_plan
from modelyard.core.serving import ReadObject, is_owned_by
from modelyard.core.tracking import (
    AliasHolder,
    GetVersion,
    Measurement,
    MoveAlias,
    ReadAlias,
    ReadMeasurements,
    RegisteredVersion,
    ResolveAlias,
    TagVersion,
)
from properties.world import ApiServer, Cache, Clock, Crasher, LivingWorld, Shell, conditions_of, without_times

DIGEST = "sha256:" + "a" * 64
AWAY = Failure("TrackingUnavailable", "MLflow does not answer")


@dataclass
class Registry:
    """Versions with an accuracy, aliases, and every move of the champion that was made."""

    accuracies: dict[str, str] = field(default_factory=lambda: {"1": "0.9", "2": "0.95", "3": "0.96"})
    aliases: dict[str, str | None] = field(default_factory=lambda: {"champion": "1", "candidate": None})
    moves: list[str] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)
    away: float = 0.0

    def ask(self, question: Question) -> Any:
        if self.chance.random() < self.away:
            if self.chance.random() < 0.5:
                self._answer(question)
            return AWAY
        return self._answer(question)

    def point(self, alias: str, version: str) -> None:
        """What a person does."""
        self.aliases[alias] = version

    def _answer(self, question: Question) -> Any:
        match question:
            case ResolveAlias(_, alias) | ReadAlias(_, alias):
                return self._version(self.aliases.get(alias))
            case GetVersion(_, version):
                return self._version(version)
            case ReadMeasurements(model_id):
                return (Measurement("accuracy", None, self.accuracies[str(model_id)]),)
            case MoveAlias():
                return self._move(question)
            case TagVersion(_, version, tags):
                self.tags.setdefault(version, {}).update(tags)
                return self._version(version)
        raise AssertionError(f"MLflow was asked {question}")

    def _version(self, number: str | None) -> RegisteredVersion | None:
        return RegisteredVersion("digits", number, number, None) if number in self.accuracies else None

    def _move(self, question: MoveAlias) -> AliasHolder:
        holder = self.aliases.get(question.alias)
        if holder == question.expected and holder != question.version:
            self.aliases[question.alias] = question.version
            self.moves.append(question.version)
        return AliasHolder(self.aliases[question.alias])


@dataclass
class PromotingWorld(LivingWorld):
    """All of it; `run` lets time pass until nothing is left to happen."""

    objects: list[Manifest]
    actions: dict[int, Callable[["PromotingWorld"], None]] = field(default_factory=dict)
    """What a person does at a tick."""
    crasher: Crasher = field(default_factory=Crasher)
    lag: float = 0.0
    seed: int = 0
    quiet_ticks = 8

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.crasher.chance = chance
        self.clock = Clock()
        self.api = ApiServer(self.clock)
        self.cache = Cache(self.api, self.lag, chance)
        self.registry = Registry(chance=chance)
        self.context = builders.make_context()
        self.shells = {
            "PromotionPolicy": self._shell(self._observe_policy, policy_plan),
            "Promotion": self._shell(self._observe, promotion_plan),
        }
        for item in self.objects:
            self.api.put(item)

    def _shell(self, observe: Any, module: Any) -> Shell:
        return Shell(
            self.api, self.cache, self.clock, self.crasher, observe, self.ask, module.plan, module.plan_refused
        )

    def ask(self, question: Question) -> Any:
        if isinstance(question, ReadObject):
            return self.api.get(question.ref.kind, question.ref.name)
        return self.registry.ask(question)

    def results(self) -> dict[str, str | None]:
        """The column RESULT of every Promotion."""
        found = self.api.of_kind("Promotion")
        return {item["metadata"]["name"]: conditions_of(item).get("Complete", {}).get("reason") for item in found}

    def end_state(self) -> dict[str, Any]:
        """What has to be the same whatever crashed; who is told of twice does not matter."""
        found = [*self.api.of_kind("Promotion"), *self.api.of_kind("PromotionPolicy")]
        statuses = {item["metadata"]["name"]: without_times(item.get("status")) for item in found}
        for status in statuses.values():
            (status or {}).get("conditions", []).sort(key=lambda item: item["type"])
        tags = {
            version: {name: text for name, text in told.items() if not name.endswith("promoted-at")}
            for version, told in self.registry.tags.items()
        }
        return {
            "statuses": statuses,
            "aliases": dict(self.registry.aliases),
            "moves": list(self.registry.moves),
            "tags": tags,
            "jobs": len(self.api.of_kind("Job")),
        }

    def reconcile(self) -> None:
        for kind, shell in self.shells.items():
            for item in list(self.api.of_kind(kind)):
                shell.reconcile(kind, item["metadata"]["name"])

    def _observe(self, resource: Manifest, answers: dict[Question, Any]) -> of_promotion.Observed:
        uid, policy = resource["metadata"]["uid"], resource["spec"].get("policy")
        others = [item for item in self.cache.of_kind("Promotion") if item["metadata"]["uid"] != uid]
        policies = self.cache.of_kind("PromotionPolicy")
        return of_promotion.Observed(
            self.context,
            tuple(job for job in self.cache.of_kind("Job") if is_owned_by(job, uid)),
            tuple(self.cache.of_kind("Pod")),
            tuple(others),
            next((item for item in policies if item["metadata"]["name"] == policy), None),
            dict(answers),
            tuple(policies),
        )

    def _observe_policy(self, resource: Manifest, answers: dict[Question, Any]) -> of_policy.Observed:
        name = resource["metadata"]["name"]
        made = [item for item in self.cache.of_kind("Promotion") if item["spec"].get("policy") == name]
        return of_policy.Observed(self.context, tuple(made), (), dict(answers), tuple(self.cache.of_kind("Promotion")))

    def controllers(self) -> None:
        """Jobs get a pod, which tells the digest; what is marked to be deleted goes."""
        jobs = {job["metadata"]["uid"]: job for job in self.api.of_kind("Job")}
        for pod in list(self.api.of_kind("Pod")):
            owner = pod["metadata"]["ownerReferences"][0]["uid"]
            if owner not in jobs or "deletionTimestamp" in jobs[owner]["metadata"]:
                self.api.remove("Pod", pod["metadata"]["name"])
            elif "status" not in pod:
                self.api.put(pod | {"status": _told()})
        owned = {pod["metadata"]["ownerReferences"][0]["uid"] for pod in self.api.of_kind("Pod")}
        for uid, job in jobs.items():
            if uid not in owned and "deletionTimestamp" not in job["metadata"]:
                self.api.put(_pod_of(job))
        self.api.collect_garbage()

    def check(self) -> None:
        """What may never be otherwise: who says Promoted moved the alias, once."""
        promoted = [item for item in self.api.of_kind("Promotion") if _is_promoted(item)]
        for item in promoted:
            moved = self.registry.moves.count(item["spec"]["model"]["version"])
            was_there = item["status"].get("previousVersion") == item["spec"]["model"]["version"]
            assert moved == 1 or was_there, f"{item['metadata']['name']} says Promoted and {moved} moves were made"


def _is_promoted(item: Manifest) -> bool:
    return conditions_of(item).get("Promoted", {}).get("status") == "True"


def _pod_of(job: Manifest) -> Manifest:
    owner = {"controller": True, "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
    template = job["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{job['metadata']['name']}-pod",
            "labels": template["metadata"]["labels"],
            "ownerReferences": [owner],
        },
        "spec": template["spec"],
    }


def _told() -> Manifest:
    message = json.dumps({"digest": DIGEST})
    ended = {"exitCode": 0, "reason": "Completed", "message": message}
    return {"phase": "Succeeded", "containerStatuses": [{"name": CONTAINER, "state": {"terminated": ended}}]}
