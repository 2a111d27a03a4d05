"""Promotion and PromotionPolicy: what is watched for them and how they are observed."""

from collections.abc import Callable, Iterator

from modelyard.api import names
from modelyard.core.context import Context
from modelyard.core.metadata import key_of
from modelyard.core.plan import Answers, Manifest
from modelyard.core.promotion import observed as of_promotion
from modelyard.core.promotion import plan as promotion_plan
from modelyard.core.promotion.records import aim_of, policies_for
from modelyard.core.promotion_policy import observed as of_policy
from modelyard.core.promotion_policy import plan as policy_plan
from modelyard.core.serving import is_owned_by
from modelyard.engine.cache import Cache
from modelyard.engine.reconcile import Wiring
from modelyard.kube.resources import JOBS, PODS, PROMOTION_POLICIES, PROMOTIONS, Resource

Caches = Callable[[Resource], Cache]


def wiring(caches: Caches, remember: Callable[[Manifest], None], context: Context) -> Wiring:
    """How a Promotion is read, observed and decided."""

    def observe(resource: Manifest, answers: Answers) -> of_promotion.Observed:
        key, uid = key_of(resource), resource["metadata"]["uid"]
        policy = resource["spec"].get("policy")
        return of_promotion.Observed(
            context=context,
            jobs=tuple(job for job in caches(JOBS).owned_by(key) if is_owned_by(job, uid)),
            pods=tuple(pod for pod in caches(PODS).owned_by(key) if _names_owner(pod, uid)),
            others=tuple(_others(caches(PROMOTIONS), resource, context)),
            policy=caches(PROMOTION_POLICIES).get(key.namespace, policy) if policy else None,
            policies=policies_for(
                aim_of(resource)[0], context.workspaces.beside(key.namespace, caches(PROMOTION_POLICIES).values())
            ),
            answers=answers,
        )

    return Wiring(
        read=lambda key: caches(PROMOTIONS).get(key.namespace, key.name),
        observe=observe,
        plan=promotion_plan.plan,
        plan_refused=promotion_plan.plan_refused,
        remember=remember,
    )


def policy_wiring(caches: Caches, remember: Callable[[Manifest], None], context: Context) -> Wiring:
    """How a PromotionPolicy is read, observed and decided."""

    def observe(resource: Manifest, answers: Answers) -> of_policy.Observed:
        name, namespace = resource["metadata"]["name"], resource["metadata"]["namespace"]
        made = (
            item
            for item in caches(PROMOTIONS).values()
            if item["metadata"]["namespace"] == namespace and item["spec"].get("policy") == name
        )
        return of_policy.Observed(
            context=context,
            promotions=tuple(made),
            rivals=tuple(_others(caches(PROMOTION_POLICIES), resource, context)),
            moves=tuple(_others(caches(PROMOTIONS), resource, context)),
            answers=answers,
        )

    return Wiring(
        read=lambda key: caches(PROMOTION_POLICIES).get(key.namespace, key.name),
        observe=observe,
        plan=policy_plan.plan,
        plan_refused=policy_plan.plan_refused,
        remember=remember,
    )


def _others(cache: Cache, resource: Manifest, context: Context) -> Iterator[Manifest]:
    """Objects of the same kind that are about the same alias and are not being deleted."""
    aim, uid = aim_of(resource), resource["metadata"]["uid"]
    for item in context.workspaces.beside(resource["metadata"]["namespace"], cache.values()):
        metadata = item["metadata"]
        if metadata["uid"] != uid and not metadata.get("deletionTimestamp") and aim_of(item) == aim:
            yield item


def _names_owner(manifest: Manifest, uid: str) -> bool:
    return (manifest["metadata"].get("labels") or {}).get(names.LABEL_OWNER_UID) == uid
