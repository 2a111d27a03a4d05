"""A world in which a ModelDeployment serves: registry, Seldon's manager, Deployment controller and kubelet."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import builders
from modelyard.api import names
from modelyard.core.disagreement import CompareAnswers, Compared
from modelyard.core.matching import digest
from modelyard.core.model_card import ReadModelCard
from modelyard.core.model_deployment import companions
from modelyard.core.model_deployment.layout import CANARY, STABLE
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.plan import plan, plan_refused
from modelyard.core.plan import Failure, Manifest, Question
from modelyard.core.serving import AskServer, ReadObject, Ready, is_owned_by
from modelyard.core.tracking import AliasHolder, GetVersion, MoveAlias, RegisteredVersion, ResolveAlias
from modelyard.core.traffic import MeasureTraffic, Traffic
from properties.world import ApiServer, Cache, Clock, Crasher, LivingWorld, Shell, conditions_of, without_times

NAME = "digits"
START_TICKS = 2
"""How long a pod takes until it is ready."""
AWAY = Failure("TrackingUnavailable", "MLflow does not answer")


@dataclass
class Registry:
    """Versions, of which some cannot be served, and one alias."""

    chance: random.Random
    alias: str | None = "1"
    bad: frozenset[str] = frozenset()
    away: float = 0.0

    def ask(self, question: Question) -> Any:
        if self.chance.random() < self.away:
            return AWAY
        if isinstance(question, ReadModelCard):
            return builders.make_card()
        if isinstance(question, MoveAlias):
            self.alias = question.version if self.alias == question.expected else self.alias
            return AliasHolder(self.alias)
        version = self.alias if isinstance(question, ResolveAlias) else None
        if isinstance(question, GetVersion):
            version = question.version
        return RegisteredVersion("digits", version, None, f"run-of-{version}") if version else None


@dataclass
class ServingWorld(LivingWorld):
    """All of it; `run` lets time pass until nothing is left to happen."""

    deployment: Manifest
    backend: str
    bad: frozenset[str] = frozenset()
    actions: dict[int, Callable[["ServingWorld"], None]] = field(default_factory=dict)
    crasher: Crasher = field(default_factory=Crasher)
    lag: float = 0.0
    seed: int = 0
    quiet_ticks = 6

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.crasher.chance = self.chance = chance
        self.clock = Clock()
        self.api = ApiServer(self.clock)
        self.cache = Cache(self.api, self.lag, chance)
        self.registry = Registry(chance, bad=self.bad)
        self.context = builders.make_context(default_backend=self.backend)
        self.ages: Counter[str] = Counter()
        self.pods_made = 0
        self.has_served = False
        self.share, self.had_canary, self.loses_pods, self.promised = 0, False, False, 0
        self.erring: frozenset[str] = frozenset()
        self.is_silent = False
        self.api.after_write = self._check_a_write
        self.shell = Shell(self.api, self.cache, self.clock, self.crasher, self.observe, self.ask, plan, plan_refused)
        self.api.put(self.deployment)

    @property
    def resource(self) -> Manifest:
        found = self.api.get("ModelDeployment", NAME)
        assert found is not None
        return found

    def observe(self, _resource: Manifest, answers: dict[Question, Any]) -> Observed:
        objects = self.cache.of_kind("SeldonDeployment", "Deployment", "Service", *sorted(companions.KINDS))
        labelled = [item for item in objects if names.LABEL_OWNER_UID in (item["metadata"].get("labels") or {})]
        return Observed(self.context, True, tuple(labelled), tuple(self.cache.of_kind("Pod")), dict(answers))

    def ask(self, question: Question) -> Any:
        if isinstance(question, ReadObject):
            return self.api.get(question.ref.kind, question.ref.name)
        if isinstance(question, AskServer):
            answering = self.answering_versions(question.url.removeprefix("http://").partition(".")[0])
            # The Service takes any pod that is ready.
            is_it = bool(answering) and self.chance.choice(answering) == question.version
            return Ready() if is_it else Failure("NotReady", "503")
        if isinstance(question, MeasureTraffic):
            return self._traffic_of({pod.name for pod in question.pods})
        if isinstance(question, CompareAnswers):
            found = Compared(1000, 500 if question.version in self.erring else 0, 5.0, 1000)
            return Failure("AnswersUnknown", "no answers") if self.is_silent else found
        return self.registry.ask(question)

    def _traffic_of(self, pods: set[str]) -> Traffic | Failure:
        """Every version has enough traffic; of the erring one's predictions, half fail."""
        if self.is_silent:
            return Failure("MetricsUnreachable", "no metrics")
        found = (pod for pod in self.api.of_kind("Pod") if pod["metadata"]["name"] in pods)
        versions = {pod["metadata"]["labels"][names.LABEL_MODEL_VERSION] for pod in found}
        return Traffic(1000, 500 if versions & self.erring else 0, 0.1, 5.0)

    def reconcile(self) -> None:
        self.shell.reconcile("ModelDeployment", NAME)

    def controllers(self) -> None:
        """What everyone but the operator does in a second."""
        for seldon in list(self.api.of_kind("SeldonDeployment")):
            self._seldon_manager(seldon)
        for service in list(self.api.of_kind("Service")):
            if "deletionTimestamp" in service["metadata"]:
                self.api.remove("Service", service["metadata"]["name"])
        for pod in list(self.api.of_kind("Pod")):
            self._kubelet(pod)
        for deployment in list(self.api.of_kind("Deployment")):
            self._deployment_controller(deployment)

    def _seldon_manager(self, seldon: Manifest) -> None:
        """Its Deployments follow; its status says Available whatever happens. What is left over goes at the last."""
        predictors = seldon["spec"]["predictors"]
        made = [self._seldons_deployment(seldon, predictor) for predictor in predictors]
        owned = [item for item in self.api.of_kind("Deployment") if is_owned_by(item, seldon["metadata"]["uid"])]
        if all((self.api.get("Deployment", name) or {}).get("status", {}).get("availableReplicas") for name in made):
            for name in {item["metadata"]["name"] for item in owned} - set(made):
                self._delete_deployment(name)
        if (seldon.get("status") or {}).get("state") != "Available":
            self.api.put(seldon | {"status": {"state": "Available"}})

    def _seldons_deployment(self, seldon: Manifest, predictor: Manifest) -> str:
        name = f"{NAME}-{predictor['name']}-0-model"
        found = self.api.get("Deployment", name)
        labels = predictor["componentSpecs"][0]["metadata"]["labels"]
        template = {"metadata": {"labels": labels}, "spec": predictor["componentSpecs"][0]["spec"]}
        owner = {"kind": "SeldonDeployment", "uid": seldon["metadata"]["uid"], "controller": True}
        spec = {"replicas": predictor["replicas"], "template": template}
        metadata = {"name": name, "labels": labels, "ownerReferences": [owner]}
        if found is None:
            self.api.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
        elif found["spec"] != spec or found["metadata"]["ownerReferences"] != [owner]:
            changed = found["metadata"] | metadata | {"generation": found["metadata"]["generation"] + 1}
            self.api.put(found | {"spec": spec, "metadata": changed})
        return name

    def _delete_deployment(self, name: str) -> None:
        for pod in self._pods_of(name):
            self.api.remove("Pod", pod["metadata"]["name"])
        self.api.remove("Deployment", name)

    def _pods_of(self, deployment: str) -> list[Manifest]:
        return [pod for pod in self.api.of_kind("Pod") if pod["of"] == deployment]

    def _deployment_controller(self, deployment: Manifest) -> None:
        """A rolling update with one pod more and none less."""
        name = deployment["metadata"]["name"]
        if "deletionTimestamp" in deployment["metadata"]:
            self._delete_deployment(name)
            return
        template, wanted = deployment["spec"]["template"], deployment["spec"]["replicas"]
        pods = self._pods_of(name)
        made_from = digest(template["spec"])
        former = [pod for pod in pods if pod["madeFrom"] != made_from]
        surge = deployment["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 1)
        if former and surge == 0 and len(pods) >= wanted and all(pod.get("ready") for pod in pods):
            self.api.remove("Pod", former[0]["metadata"]["name"])
            pods.remove(former[0])
        if sum(pod["madeFrom"] == made_from for pod in pods) < wanted and len(pods) < wanted + bool(surge):
            self._start(name, template, made_from)
        for pod in self._superfluous(pods, made_from, wanted):
            self.api.remove("Pod", pod)
        self._report(deployment, made_from)

    def _superfluous(self, pods: list[Manifest], made_from: str, wanted: int) -> list[str]:
        """Pods of former templates that are not ready, and those that are too many, the former and unready first."""
        former = [pod for pod in pods if pod["madeFrom"] != made_from]
        if not former:
            rest = sorted(pods, key=lambda pod: bool(pod.get("ready")))
            return [pod["metadata"]["name"] for pod in rest[: max(0, len(pods) - wanted)]]
        ready = [pod for pod in pods if pod.get("ready")]
        spare = sorted(ready, key=lambda pod: pod["madeFrom"] == made_from)[: max(0, len(ready) - wanted)]
        return [pod["metadata"]["name"] for pod in (*(pod for pod in former if not pod.get("ready")), *spare)]

    def _start(self, deployment: str, template: Manifest, made_from: str) -> None:
        self.pods_made += 1
        name = f"pod-{self.pods_made:03}"
        metadata = {"name": name, "namespace": builders.NAMESPACE, "uid": f"uid-{name}"}
        metadata |= {"labels": template["metadata"]["labels"]}
        made = {"kind": "Pod", "metadata": metadata, "madeFrom": made_from, "of": deployment}
        self.api.put(made | {"status": {"phase": "Pending"}})

    def _kubelet(self, pod: Manifest) -> None:
        name, version = pod["metadata"]["name"], pod["metadata"]["labels"][names.LABEL_MODEL_VERSION]
        self.ages[name] += 1
        if self.ages[name] != START_TICKS:
            return
        builder = builders.PodBuilder(pod, container="model")
        if version in self.bad:
            made = builder.with_failed_helper("modelyard-fetch", "ModelIncomplete", "no file MLmodel").build()
        else:
            made = builder.running().changed("ready", to=True).changed("status", "podIP", to="10.0.0.1").build()
        self.api.put(made)

    def _report(self, deployment: Manifest, made_from: str) -> None:
        pods = self._pods_of(deployment["metadata"]["name"])
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": sum(pod["madeFrom"] == made_from for pod in pods),
            "availableReplicas": sum(bool(pod.get("ready")) for pod in pods),
        }
        if deployment.get("status") != status:
            self.api.put(deployment | {"status": status})

    def ready_versions(self, predictor: str | None = None) -> list[str]:
        """The version of each pod that answers, of one predictor or of all."""
        ready = [pod["metadata"]["labels"] for pod in self.api.of_kind("Pod") if pod.get("ready")]
        return [
            labels[names.LABEL_MODEL_VERSION] for labels in ready if predictor in (None, labels[names.LABEL_PREDICTOR])
        ]

    def answering_versions(self, service: str = NAME) -> list[str]:
        """The version of each pod that the Service knows of, which is a moment after it is ready."""
        known = (pod for pod in self.api.of_kind("Pod") if self.ages[pod["metadata"]["name"]] > START_TICKS)
        selector = self._selector(service)
        behind = (pod["metadata"]["labels"] for pod in known if pod.get("ready"))
        return [labels[names.LABEL_MODEL_VERSION] for labels in behind if selector.items() <= labels.items()]

    def _selector(self, service: str) -> dict[str, str]:
        """What a Service selects; Seldon makes that of its canary itself."""
        found = self.api.get("Service", service)
        if found is None and self.backend == "SeldonDeployment" and service == f"{NAME}-canary":
            return {names.LABEL_PREDICTOR: CANARY}
        return dict(found["spec"]["selector"]) if found else {"no": "such Service"}

    def share_of_the_canary(self) -> int:
        """Percent that the canary gets; by pods alone, whether it gets some is what can be seen."""
        seldon = self.api.get("SeldonDeployment", NAME)
        by_name = {item["name"]: item.get("traffic") for item in seldon["spec"]["predictors"]} if seldon else {}
        _check_seldons_rules(by_name)
        selector = self._selector(NAME)
        is_selected = names.LABEL_OWNER_UID in selector and selector.get(names.LABEL_PREDICTOR) != STABLE
        return (by_name.get("canary") or 0) if seldon else int(is_selected)

    def _check_a_write(self) -> None:
        """Traffic goes to pods that answer, and away from pods before they go."""
        share = self.share_of_the_canary()
        if self.lag == 0 and share > self.share:
            assert self.ready_versions(CANARY), "traffic for a canary that is not ready"
        canarys = {
            name: item
            for name in (f"{NAME}-canary", f"{NAME}-canary-0-model")
            if (item := self.api.get("Deployment", name)) and "deletionTimestamp" not in item["metadata"]
        }
        assert not (self.had_canary and not canarys and self.share and share), "a canary went that had traffic"
        self.share, self.had_canary = share, bool(canarys)

    def check(self) -> None:
        """What holds at every moment."""
        ready, resource = self.ready_versions(), self.resource
        wanted = resource["spec"].get("replicas", 1)
        assert not set(ready) & self.bad, f"a bad version answers: {ready}"
        has_no_room = (resource["spec"].get("rollout") or {}).get("surge") == "Forbid"
        if has_no_room and self.lag == 0:
            assert len(self.api.of_kind("Pod")) <= max(wanted, 1), "there is no room for a further pod"
        known, self.promised = self.promised, wanted - has_no_room
        self.has_served = self.has_served and known == self.promised > 0
        self.has_served |= self.promised > 0 and len(self.ready_versions(STABLE)) >= wanted
        if self.has_served and self.lag == 0:
            assert len(ready) >= (self.promised if has_no_room else 1), "too few answer"
            assert self.loses_pods or len(self.ready_versions(STABLE)) >= min(wanted, 1), "no stable pod answers"
        told = conditions_of(resource).get("Ready", {})
        if self.lag == 0 and told.get("status") == "True" and told.get("reason") == "Serving":
            stable = resource["status"]["stable"]["version"]
            answering = self.answering_versions()
            assert stable in answering, f"said that {stable} serves, but only {answering} answer"

    def end_state(self) -> dict[str, Any]:
        """All that is left, without times."""
        status = without_times(self.resource.get("status") or {})
        for condition in status.get("conditions", []):
            condition.pop("observedGeneration", None)
        status.get("backendRef", {}).pop("uid", None)
        status["conditions"] = sorted(status.get("conditions", []), key=lambda item: str(item["type"]))
        specs = {
            f"{item['kind']} {item['metadata']['name']}": item["spec"]
            for kind in ("SeldonDeployment", "Deployment", "Service")
            for item in self.api.of_kind(kind)
        }
        return {"status": status, "objects": specs, "ready": sorted(self.ready_versions())}

    def change(self, **spec: object) -> None:
        """A person changes spec."""
        found = self.resource
        found["spec"] |= spec
        found["metadata"]["generation"] += 1
        self.api.put(found)

    def annotate(self, name: str, value: str) -> None:
        """A person writes an annotation."""
        found = self.resource
        found["metadata"].setdefault("annotations", {})[name] = value
        self.api.put(found)

    def lose_pods(self, predictor: str) -> None:
        """A node takes all pods of a predictor with it; they are started anew."""
        self.loses_pods |= predictor == STABLE
        for pod in list(self.api.of_kind("Pod")):
            if pod["metadata"]["labels"][names.LABEL_PREDICTOR] == predictor:
                self.api.remove("Pod", pod["metadata"]["name"])


def _check_seldons_rules(traffic: dict[str, int | None]) -> None:
    """What Seldon's admission asks for, and no weight of 0: its routers take that for an even split."""
    given = [value for value in traffic.values() if value is not None]
    assert 0 not in given
    assert len(traffic) < 2 or sum(given) == 100, traffic
    assert len(traffic) != 1 or given in ([], [100]), traffic
