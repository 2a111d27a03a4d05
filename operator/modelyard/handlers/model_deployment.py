"""ModelDeployment: what is watched for it and how it is observed."""

from collections.abc import Callable, Iterator

from modelyard.api import names
from modelyard.core.context import Context
from modelyard.core.metadata import key_of
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.plan import plan, plan_refused
from modelyard.core.plan import Answers, Key, Manifest
from modelyard.core.promotion.records import digest_of, policies_for
from modelyard.engine.cache import Cache
from modelyard.engine.reconcile import Wiring
from modelyard.kube.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HTTP_ROUTES,
    MODEL_DEPLOYMENTS,
    PODS,
    PROMOTION_POLICIES,
    PROMOTIONS,
    SELDON_DEPLOYMENTS,
    SERVICES,
    Resource,
)

Caches = Callable[[Resource], Cache]


def wiring(
    caches: Caches,
    is_served: Callable[[Resource], bool],
    remember: Callable[[Manifest], None],
    context: Context,
) -> Wiring:
    """How a ModelDeployment is read, observed and decided."""

    def observe(resource: Manifest, answers: Answers) -> Observed:
        key, uid = key_of(resource), resource["metadata"]["uid"]
        children = (SELDON_DEPLOYMENTS, DEPLOYMENTS, SERVICES, HTTP_ROUTES, AUTOSCALERS, DISRUPTION_BUDGETS)
        return Observed(
            context=context,
            is_seldon_served=is_served(SELDON_DEPLOYMENTS),
            is_route_served=is_served(HTTP_ROUTES),
            objects=tuple(item for kind in children for item in _labelled(caches(kind), key, uid)),
            pods=tuple(_labelled(caches(PODS), key, uid)),
            answers=answers,
            promotions=tuple(_vouching(caches(PROMOTIONS), resource)),
            policies=policies_for(
                resource["spec"]["model"]["name"],
                context.workspaces.beside(key.namespace, caches(PROMOTION_POLICIES).values()),
            ),
        )

    return Wiring(
        read=lambda key: caches(MODEL_DEPLOYMENTS).get(key.namespace, key.name),
        observe=observe,
        plan=plan,
        plan_refused=plan_refused,
        remember=remember,
    )


def _vouching(cache: Cache, resource: Manifest) -> Iterator[Manifest]:
    """Promotions of the same namespace and model that recorded a digest."""
    namespace, model = resource["metadata"]["namespace"], resource["spec"]["model"]["name"]
    for item in cache.values():
        is_near = item["metadata"]["namespace"] == namespace
        if is_near and item["spec"]["model"]["name"] == model and digest_of(item):
            yield item


def _labelled(cache: Cache, key: Key, uid: str) -> list[Manifest]:
    """The objects whose labels name this owner and its UID; which of them it controls, the backend checks."""
    return [
        item for item in cache.owned_by(key) if (item["metadata"].get("labels") or {}).get(names.LABEL_OWNER_UID) == uid
    ]
