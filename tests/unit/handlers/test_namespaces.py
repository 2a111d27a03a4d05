"""What is seen of other namespaces: all that shares the registry, and nothing where each has a workspace of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from builders import make_context, make_model_deployment, make_promotion, make_promotion_policy, make_training_job
from modelyard.core.plan import Failure, Key, Manifest, Question
from modelyard.core.tracking import AttemptIdentity, EndRun, FindOpenRuns, FindWorkspaces, OpenRun
from modelyard.core.workspaces import Workspaces
from modelyard.engine.cache import Cache
from modelyard.handlers import keys, model_deployment, promotion, training_job
from modelyard.kube.resources import PROMOTION_POLICIES, PROMOTIONS, Resource

BOTH = pytest.mark.parametrize(("workspaces", "seen"), [(Workspaces.NONE, 1), (Workspaces.PER_NAMESPACE, 0)])
LEFT = OpenRun("0" * 32, AttemptIdentity("cluster", "uid-of-none", 1))


def elsewhere(manifest: Manifest) -> Manifest:
    """The same in another namespace."""
    return manifest | {"metadata": manifest["metadata"] | {"namespace": "team-b", "uid": "elsewhere"}}


def caches_with(**held: Manifest) -> Callable[[Resource], Cache]:
    caches = {PROMOTION_POLICIES: Cache(), PROMOTIONS: Cache()}
    for resource, cache in caches.items():
        if resource.plural in held:
            cache.upsert(held[resource.plural])
    return lambda resource: caches.get(resource, Cache())


def nothing(manifest: Manifest) -> None:
    """Remembers nothing."""


@BOTH
def test_promotions_of_other_namespaces_are_rivals_where_they_move_the_same_alias(
    workspaces: Workspaces, seen: int
) -> None:
    context = make_context(workspaces=workspaces)
    caches = caches_with(promotions=elsewhere(make_promotion("theirs").build()))
    observed = promotion.wiring(caches, nothing, context).observe(make_promotion("ours").build(), {})
    assert len(observed.others) == seen


@BOTH
def test_policies_of_other_namespaces_are_rivals_where_they_move_the_same_alias(
    workspaces: Workspaces, seen: int
) -> None:
    context = make_context(workspaces=workspaces)
    policy = make_promotion_policy().build()
    caches = caches_with(promotionpolicies=elsewhere(policy), promotions=elsewhere(make_promotion("theirs").build()))
    observed = promotion.policy_wiring(caches, nothing, context).observe(policy, {})
    assert (len(observed.rivals), len(observed.moves)) == (seen, seen)


@BOTH
def test_policies_of_other_namespaces_govern_where_the_models_are_the_same(workspaces: Workspaces, seen: int) -> None:
    context = make_context(workspaces=workspaces)
    caches = caches_with(promotionpolicies=elsewhere(make_promotion_policy().build()))
    training = training_job.wiring(caches, nothing, context)
    promoting = promotion.wiring(caches, nothing, context)
    serving = model_deployment.wiring(caches, lambda _: True, nothing, context)
    assert len(training.observe(make_training_job().with_model("digits").build(), {}).policies) == seen
    assert len(promoting.observe(make_promotion().build(), {}).policies) == seen
    assert len(serving.observe(make_model_deployment().build(), {}).policies) == seen


@dataclass
class Mlflow:
    """Each workspace has one run that nobody will end."""

    workspaces: tuple[str, ...] | Failure = ("default", "team-a", "team-b")
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, question: Question, namespace: str) -> Any:
        self.asked.append((type(question).__name__, namespace))
        answers = {FindWorkspaces: self.workspaces, FindOpenRuns: (LEFT,)}
        return answers.get(type(question))


async def swept(workspaces: Workspaces, mlflow: Mlflow, *watched: str) -> list[tuple[str, str]]:
    context = make_context(workspaces=workspaces)
    await training_job.DeletedTrainingJobs(caches_with(), context, mlflow, watched).sweep()
    return mlflow.asked


def ended_in(*namespaces: str) -> list[tuple[str, str]]:
    return [(kind.__name__, name) for name in namespaces for kind in (FindOpenRuns, EndRun)]


async def test_what_was_left_is_looked_for_once_where_all_share() -> None:
    assert await swept(Workspaces.NONE, Mlflow()) == ended_in("")


async def test_what_was_left_is_looked_for_in_every_workspace() -> None:
    found = await swept(Workspaces.PER_NAMESPACE, Mlflow())
    assert found == [("FindWorkspaces", ""), *ended_in("default", "team-a", "team-b")]


async def test_an_operator_that_watches_some_namespaces_looks_into_their_workspaces_only() -> None:
    found = await swept(Workspaces.PER_NAMESPACE, Mlflow(), "team-b", "team-c")
    assert found == [("FindWorkspaces", ""), *ended_in("team-b")]


async def test_workspaces_that_cannot_be_listed_are_left_to_the_next_sweep() -> None:
    away = Failure("TrackingUnavailable", "MLflow does not answer.")
    assert await swept(Workspaces.PER_NAMESPACE, Mlflow(away)) == [("FindWorkspaces", "")]


async def test_the_runs_of_a_deleted_training_are_ended_in_its_namespaces_workspace() -> None:
    mlflow = Mlflow()
    deleted = training_job.DeletedTrainingJobs(caches_with(), make_context(), mlflow)
    await deleted(Key(keys.DELETED_TRAINING_JOB, "team-b", LEFT.identity.owner_uid))
    assert mlflow.asked == ended_in("team-b")
