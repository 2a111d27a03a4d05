"""TrainingJob: what is watched for it, how it is observed, and what is done once it is deleted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modelyard.api import names
from modelyard.core.context import Context
from modelyard.core.plan import Answers, Failure, Key, Manifest, Plan, Question
from modelyard.core.promotion.records import policies_for
from modelyard.core.serving import is_owned_by
from modelyard.core.tracking import AttemptIdentity, FindWorkspaces
from modelyard.core.training_job.attempts import has_live_pods
from modelyard.core.training_job.leftovers import is_under_way, plan_gone, plan_orphans
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan, plan_refused
from modelyard.core.workspaces import Workspaces
from modelyard.engine.cache import Cache
from modelyard.engine.reconcile import Ask, Wiring, answered
from modelyard.kube.resources import JOBS, PODS, PROMOTION_POLICIES, SERVICES, TRAINING_JOBS, Resource

log = logging.getLogger(__name__)

Caches = Callable[[Resource], Cache]


def wiring(caches: Caches, remember: Callable[[Manifest], None], context: Context) -> Wiring:
    """How a TrainingJob is read, observed and decided."""

    def observe(resource: Manifest, answers: Answers) -> Observed:
        return _observed(caches, context, resource, answers)

    return Wiring(
        read=lambda key: caches(TRAINING_JOBS).get(key.namespace, key.name),
        observe=observe,
        plan=plan,
        plan_refused=plan_refused,
        remember=remember,
    )


@dataclass(frozen=True)
class DeletedTrainingJobs:
    """Ends the runs of TrainingJobs that are no more."""

    caches: Caches
    context: Context
    ask: Ask
    watched: tuple[str, ...] = ()
    """The namespaces that this operator works in; all of them when empty."""
    trained: set[str] = field(default_factory=set)
    """UIDs of those whose pods were alive when they were found gone, until they are looked after."""

    async def __call__(self, key: Key) -> float | None:
        """Look after what the TrainingJob with this UID left; nothing while it exists."""
        uid = key.name
        if uid in self._living_uids():
            return None
        pods = [pod for pod in self.caches(PODS).values() if _owner_uid(pod) == uid]
        if has_live_pods(pods):
            self.trained.add(uid)
        was_training = uid in self.trained

        def decide(seen: Observed, now: datetime) -> Plan:
            return plan_gone(seen, uid, now, was_training=was_training)

        done = await self._settle(Observed(self.context, pods=tuple(pods)), decide, key.namespace)
        if done.recheck_after is None:
            self.trained.discard(uid)
        return done.recheck_after

    async def sweep(self) -> None:
        """Look after what was left while no operator ran, and what the code of attempts left."""
        jobs = {job["metadata"]["uid"]: job for job in self.caches(TRAINING_JOBS).values()}

        def may_run(attempt: AttemptIdentity) -> bool:
            job = jobs.get(attempt.owner_uid)
            return job is not None and is_under_way(job, attempt.attempt)

        for namespace in await self._namespaces():
            await self._settle(Observed(self.context), lambda seen, now: plan_orphans(seen, may_run, now), namespace)

    async def _namespaces(self) -> tuple[str, ...]:
        """All whose runs are kept apart, those that are gone by now too; one stands for all where they share."""
        if self.context.workspaces is Workspaces.NONE:
            return ("",)
        found = await self.ask(FindWorkspaces(), "")
        if isinstance(found, Failure):
            log.warning("what was left in MLflow's workspaces is not looked for now: %s", found.message)
            return ()
        return tuple(name for name in found if not self.watched or name in self.watched)

    def _living_uids(self) -> frozenset[str]:
        """UIDs of the TrainingJobs that exist."""
        return frozenset(job["metadata"]["uid"] for job in self.caches(TRAINING_JOBS).values())

    async def _settle(self, observed: Observed, decide: Callable[[Observed, datetime], Plan], namespace: str) -> Plan:
        """Ask what the plan asks until nothing is open."""
        answers: dict[Question, Any] = {}
        now = datetime.now(UTC)
        while True:
            found = decide(Observed(observed.context, pods=observed.pods, answers=answers), now)
            if not found.questions:
                return found
            answers |= await answered(found.questions, self.ask, namespace)


def _observed(caches: Caches, context: Context, resource: Manifest, answers: Answers) -> Observed:
    """The children that the owner's UID proves to be its own, and the policies for its model."""
    key, uid = _key(resource), resource["metadata"]["uid"]
    model = ((resource.get("spec") or {}).get("model") or {}).get("name")
    jobs = [job for job in caches(JOBS).owned_by(key) if is_owned_by(job, uid)]
    job_uids = {job["metadata"]["uid"] for job in jobs}
    pods = [
        pod
        for pod in caches(PODS).owned_by(key)
        if _owner_uid(pod) == uid and (not job_uids or any(is_owned_by(pod, job_uid) for job_uid in job_uids))
    ]
    services = [service for service in caches(SERVICES).owned_by(key) if is_owned_by(service, uid)]
    return Observed(
        context,
        jobs=tuple(jobs),
        pods=tuple(pods),
        services=tuple(services),
        policies=policies_for(model, context.workspaces.beside(key.namespace, caches(PROMOTION_POLICIES).values())),
        answers=answers,
    )


def _owner_uid(manifest: Manifest) -> str | None:
    """The UID of the owner that the labels name."""
    return (manifest["metadata"].get("labels") or {}).get(names.LABEL_OWNER_UID)


def _key(resource: Manifest) -> Key:
    """The key of a TrainingJob."""
    metadata = resource["metadata"]
    return Key("TrainingJob", metadata["namespace"], metadata["name"])
