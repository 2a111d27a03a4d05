"""A world in which a TrainingJob trains: MLflow, the Job controller, the kubelet and a person of many minds."""

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import builders
from modelyard.api import names
from modelyard.core import clock
from modelyard.core.plan import Failure, Manifest, Question
from modelyard.core.serving import ReadObject, ReadWarning, is_owned_by
from modelyard.core.tracking import (
    AttemptIdentity,
    Ended,
    EndRun,
    EnsureExperiment,
    EnsureRun,
    FindModels,
    FindOpenRuns,
    FindRuns,
    LoggedModel,
    Metric,
    OpenRun,
    ReadMetrics,
    RegisteredVersion,
    RegisterVersion,
    Run,
    TagRun,
)
from modelyard.core.training_job.leftovers import plan_gone
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan, plan_refused
from properties.world import ApiServer, Cache, Clock, Crasher, LivingWorld, Shell, conditions_of, without_times

NAME = "digits"
GRACE_TICKS = 2
"""How long a pod that is deleted goes on."""
AWAY = Failure("TrackingUnavailable", "MLflow does not answer")


@dataclass
class Mlflow:
    """Runs, models and versions; may be away, and may act although its answer is lost."""

    chance: random.Random = field(default_factory=random.Random)
    away: float = 0.0
    away_for: set[type] = field(default_factory=set)
    identities: dict[str, AttemptIdentity] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    models: dict[str, list[LoggedModel]] = field(default_factory=dict)
    versions: dict[AttemptIdentity, RegisteredVersion] = field(default_factory=dict)
    asked: Counter[type] = field(default_factory=Counter)

    def ask(self, question: Question) -> Any:
        self.asked[type(question)] += 1
        if type(question) in self.away_for or self.chance.random() < self.away:
            if self.chance.random() < 0.5:
                self._answer(question)
            return AWAY
        return self._answer(question)

    def _answer(self, question: Question) -> Any:  # noqa: PLR0911 - one line for each question
        match question:
            case EnsureExperiment():
                return "7"
            case FindRuns(identity):
                return tuple(Run(run_id, "7") for run_id, known in self.identities.items() if known == identity)
            case EnsureRun():
                return self._ensure(question)
            case EndRun(run_id, status):
                before, self.statuses[run_id] = self.statuses[run_id], status.value
                return Ended(before)
            case TagRun():
                return None
            case FindModels(run_id):
                return tuple(self.models.get(run_id, ()))
            case RegisterVersion():
                number = str(len(self.versions) + 1)
                version = RegisteredVersion(question.name, number, question.model_id, question.run_id)
                return self.versions.setdefault(question.identity, version)
            case ReadMetrics(_, wanted):
                return tuple(Metric(name, 0.5, 3) for name in wanted)
            case FindOpenRuns():
                open_ = (run_id for run_id, status in self.statuses.items() if status == "RUNNING")
                return tuple(OpenRun(run_id, self.identities[run_id]) for run_id in open_)
        raise AssertionError(f"MLflow was asked {question}")

    def _ensure(self, question: EnsureRun) -> Run:
        found = next((run_id for run_id, known in self.identities.items() if _is_asked_for(known, question)), None)
        if found and question.is_shared:
            self.identities[found], self.statuses[found] = question.identity, "RUNNING"
        if found is None:
            found = f"run{len(self.identities) + 1}"
            self.identities[found], self.statuses[found] = question.identity, "RUNNING"
        return Run(found, "7")


def _is_asked_for(known: AttemptIdentity, question: EnsureRun) -> bool:
    """Whether a run is the attempt's: by its own tags, or, where attempts share one, by its owner's."""
    wanted = question.identity
    return known == (dataclasses.replace(wanted, attempt=known.attempt) if question.is_shared else wanted)


@dataclass
class TrainingWorld(LivingWorld):
    """All of it; `run` lets time pass until nothing is left to happen."""

    job: Manifest
    exit_codes: list[int]
    """Of the attempts, in order; those after the last succeed."""
    train_ticks: int = 3
    actions: dict[int, Callable[["TrainingWorld"], None]] = field(default_factory=dict)
    """What a person does at a tick."""
    crasher: Crasher = field(default_factory=Crasher)
    lag: float = 0.0
    seed: int = 0
    is_stuck: bool = False
    """Whether no pod ever starts."""
    ticks_down: int = 0
    quiet_ticks = 10

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.crasher.chance = chance
        self.clock = Clock()
        self.api = ApiServer(self.clock)
        self.cache = Cache(self.api, self.lag, chance)
        self.mlflow = Mlflow(chance)
        self.ages: Counter[str] = Counter()
        self.started: list[str] = []
        self.ended_as: Manifest | None = None
        self.context = builders.make_context()
        self.shell = Shell(self.api, self.cache, self.clock, self.crasher, self.observe, self.ask, plan, plan_refused)
        self.api.put(self.job)

    @property
    def resource(self) -> Manifest:
        found = self.api.get("TrainingJob", NAME)
        assert found is not None
        return found

    def observe(self, resource: Manifest, answers: dict[Question, Any]) -> Observed:
        uid = resource["metadata"]["uid"]
        jobs = [item for item in self.cache.of_kind("Job") if is_owned_by(item, uid)]
        services = [item for item in self.cache.of_kind("Service") if is_owned_by(item, uid)]
        return Observed(
            self.context, tuple(jobs), tuple(self.cache.of_kind("Pod")), tuple(services), answers=dict(answers)
        )

    def ask(self, question: Question) -> Any:
        if isinstance(question, ReadObject):
            return self.api.get(question.ref.kind, question.ref.name)
        if isinstance(question, ReadWarning):
            return None
        return self.mlflow.ask(question)

    def reconcile(self) -> None:
        self.shell.reconcile("TrainingJob", NAME)

    def controllers(self) -> None:
        for pod in list(self.api.of_kind("Pod")):
            self._kubelet(pod)
        self.api.collect_garbage()
        for job in list(self.api.of_kind("Job")):
            if "deletionTimestamp" not in job["metadata"]:
                self._job_controller(job)

    def _job_controller(self, job: Manifest) -> None:
        if (job.get("status") or {}).get("conditions"):
            return
        pods = [pod for pod in self.api.of_kind("Pod") if is_owned_by(pod, job["metadata"]["uid"])]
        phases = [pod["status"]["phase"] for pod in pods]
        if (job.get("spec") or {}).get("suspend"):
            for pod in pods:
                if "deletionTimestamp" not in pod["metadata"]:
                    self._terminate(pod)
        elif not pods:
            self._start(job)
        elif "Failed" in phases and {"Pending", "Running"} & set(phases):
            for pod in pods:
                if pod["status"]["phase"] in {"Pending", "Running"}:
                    self._terminate(pod)
        elif {"Pending", "Running"}.isdisjoint(phases):
            kind = "Failed" if "Failed" in phases else "Complete"
            at = clock.to_text(self.clock.now)
            condition = {"type": kind, "status": "True", "reason": "x", "lastTransitionTime": at}
            self.api.put(job | {"status": {"conditions": [condition]}})

    def _start(self, job: Manifest) -> None:
        attempt = int(job["metadata"]["labels"][names.LABEL_ATTEMPT])
        owner = {"kind": "Job", "uid": job["metadata"]["uid"], "controller": True}
        nodes = job["spec"]["completions"]
        for index in range(nodes):
            name = f"{job['metadata']['name']}-{index}-pod"
            annotations = job["metadata"]["annotations"] | {builders.INDEX: str(index)}
            made = builders.make_pod(self.resource, attempt).starting().changed("metadata", "name", to=name)
            self.started.append(name)
            self.api.put(
                made.changed("metadata", "ownerReferences", to=[owner])
                .changed("metadata", "annotations", to=annotations)
                .build()
            )

    def _kubelet(self, pod: Manifest) -> None:
        name = pod["metadata"]["name"]
        if pod["status"]["phase"] in {"Succeeded", "Failed"} and self._has_job(pod):
            return
        self.ages[name] += 1
        jobs = [item["metadata"] for item in self.api.of_kind("Job")]
        owners = {job["uid"] for job in jobs if "deletionTimestamp" not in job}
        is_orphan = not any(reference["uid"] in owners for reference in pod["metadata"]["ownerReferences"])
        if is_orphan or "deletionTimestamp" in pod["metadata"]:
            self._terminate(pod)
            return
        attempt = int(pod["metadata"]["labels"][names.LABEL_ATTEMPT])
        builder = builders.PodBuilder(pod)
        code = self.exit_codes[attempt - 1] if attempt <= len(self.exit_codes) else 0
        is_over = self.ages[name] > self.train_ticks and not self.is_stuck
        if "deletionTimestamp" in pod["metadata"]:
            self._terminate(pod)
        elif is_over and (not code or self._is_last(pod)):
            ended = (builder.failed(code) if code else builder.succeeded()).build()
            terminated = ended["status"]["containerStatuses"][0]["state"]["terminated"]
            terminated["finishedAt"] = clock.to_text(self.clock.now)
            self._log_model(pod, code)
            self.api.put(ended)
        elif self.ages[name] > 1 and not self.is_stuck:
            self._run_of(pod)
            self.api.put(builder.running().started((builders.NOW - self._started_at(name)).total_seconds()).build())

    def _started_at(self, pod_name: str) -> datetime:
        """When a pod began to run, by its node's clock."""
        return self.clock.now - timedelta(seconds=self.ages[pod_name] - 2)

    def _is_last(self, pod: Manifest) -> bool:
        """Of several pods the last fails; the others would go on."""
        return pod["metadata"]["annotations"][builders.INDEX] == str(self.resource["spec"].get("nodes", 1) - 1)

    def _has_job(self, pod: Manifest) -> bool:
        jobs = [job for job in self.api.of_kind("Job") if is_owned_by(pod, job["metadata"]["uid"])]
        return any("deletionTimestamp" not in job["metadata"] for job in jobs)

    def _terminate(self, pod: Manifest) -> None:
        name = pod["metadata"]["name"]
        if "deletionTimestamp" not in pod["metadata"]:
            self.ages[name] = 0
            self.api.put(builders.PodBuilder(pod).terminating().build())
        elif self.ages[name] > GRACE_TICKS:
            self.api.remove("Pod", name)

    def _run_of(self, pod: Manifest) -> str:
        """The run that the pod's code logs into: one that it was told of, or one that it starts."""
        told = pod["metadata"]["annotations"].get(names.ANNOTATION_RUN_ID)
        uid, attempt = pod["metadata"]["labels"][names.LABEL_OWNER_UID], pod["metadata"]["labels"][names.LABEL_ATTEMPT]
        identity = AttemptIdentity(self.context.cluster, uid, int(attempt))
        return told or self.mlflow._ensure(EnsureRun(identity, "experiment", "run")).run_id

    def _log_model(self, pod: Manifest, code: int) -> None:
        run_id = self._run_of(pod)
        # The code's own word about its run: MLflow's clients end it as they like.
        self.mlflow.statuses[run_id] = "FINISHED"
        if code == 0:
            self.mlflow.models[run_id] = [LoggedModel(f"m-of-{run_id}", "model", "READY")]

    def check(self) -> None:
        """What holds at every moment."""
        live = [job for job in self.api.of_kind("Job") if not (job.get("status") or {}).get("conditions")]
        pods = [pod for pod in self.api.of_kind("Pod") if pod["status"]["phase"] in {"Pending", "Running"}]
        assert len(live) <= 1, f"two live Jobs: {live}"
        assert len({pod["metadata"]["labels"][names.LABEL_ATTEMPT] for pod in pods}) <= 1, "two attempts at once"
        assert len(pods) <= self.resource["spec"].get("nodes", 1), f"too many pods: {[pod['metadata'] for pod in pods]}"
        made = Counter((kind, name) for verb, kind, name in self.api.writes if verb == "create")
        assert all(count == 1 for count in made.values()), f"made twice: {made}"
        identities = Counter(self.mlflow.identities.values())
        assert all(count == 1 for count in identities.values()), f"two runs for an attempt: {identities}"
        assert len(self.mlflow.versions) <= 1, f"two versions: {self.mlflow.versions}"
        self._check_that_the_end_stays()

    def _check_that_the_end_stays(self) -> None:
        status = self.resource.get("status")
        if self.ended_as is not None:
            told = {name: (status or {}).get(name) for name in self.ended_as}
            assert told | {"observedGeneration": 0} == self.ended_as | {"observedGeneration": 0}, "an end reverted"
        elif self.is_over():
            self.ended_as = status
            assert "RUNNING" not in self.mlflow.statuses.values(), "a run goes on after the end"

    def is_over(self) -> bool:
        found = conditions_of(self.resource)
        return any(found.get(kind, {}).get("status") == "True" for kind in ("Complete", "Failed"))

    def end_state(self) -> dict[str, Any]:
        """All that is left, without times."""
        status = without_times(self.resource.get("status") or {})
        for condition in status.get("conditions", []):
            condition.pop("observedGeneration", None)
        status["conditions"] = sorted(status.get("conditions", []), key=lambda item: str(item["type"]))
        return {
            "status": status,
            "runs": {known.attempt: self.mlflow.statuses[run_id] for run_id, known in self.mlflow.identities.items()},
            "versions": sorted((known.attempt, item.version) for known, item in self.mlflow.versions.items()),
            "jobs": sorted(item["metadata"]["name"] for item in self.api.of_kind("Job")),
            "services": sorted(item["metadata"]["name"] for item in self.api.of_kind("Service")),
        }

    def change(self, **spec: object) -> None:
        """A person changes spec."""
        found = self.resource
        found["spec"] |= spec
        found["metadata"]["generation"] += 1
        self.api.put(found)

    def hold_the_job(self, *, is_held: bool) -> None:
        """A queue lets the newest Job run, or takes it back."""
        for job in self.api.of_kind("Job")[-1:]:
            self.api.put(job | {"spec": job["spec"] | {"suspend": is_held}})

    def delete_the_job(self) -> None:
        """A person deletes the newest Job."""
        for job in self.api.of_kind("Job")[-1:]:
            self.api.remove("Job", job["metadata"]["name"])

    def delete(self, ticks: int = 20) -> None:
        """A person deletes the TrainingJob: its children go, and then its runs are ended."""
        uid = self.resource["metadata"]["uid"]
        self.api.remove("TrainingJob", NAME)
        for kind in ("Job", "Service"):
            for child in list(self.api.of_kind(kind)):
                self.api.remove(kind, child["metadata"]["name"])
        for _ in range(ticks):
            self.controllers()
            self.cache.listen()
            self._end_runs_of(uid)
            self.clock.advance()

    def _end_runs_of(self, uid: str) -> None:
        answers: dict[Question, Any] = {}
        while True:
            observed = Observed(self.context, pods=tuple(self.cache.of_kind("Pod")), answers=answers)
            found = plan_gone(observed, uid, self.clock.now, was_training=True)
            if not found.questions:
                return
            answers |= {question: self.mlflow.ask(question) for question in found.questions}
