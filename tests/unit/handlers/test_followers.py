"""Who is woken when an alias moves."""

from collections.abc import Callable
from typing import Any

from builders import make_promotion, make_promotion_policy
from modelyard.core.plan import Key, Manifest
from modelyard.core.tracking import Moved
from modelyard.core.workspaces import Workspaces
from modelyard.engine.cache import Cache
from modelyard.handlers import followers
from modelyard.kube.resources import MODEL_DEPLOYMENTS, PROMOTION_POLICIES, PROMOTIONS, Resource


def deployment(name: str, /, namespace: str = "team-a", **model: str) -> Manifest:
    metadata: dict[str, Any] = {"namespace": namespace, "name": name, "uid": name, "resourceVersion": "1"}
    return {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": metadata,
        "spec": {"model": model},
    }


def woken(caches: Callable[[Resource], Cache], alias: str) -> list[Key]:
    return list(followers.of_alias(caches, Workspaces.NONE, Moved("digits", alias)))


def test_those_that_follow_this_alias_of_this_model_are_woken() -> None:
    held = Cache()
    for manifest in (
        deployment("follows", name="digits", alias="champion"),
        deployment("another-alias", name="digits", alias="candidate"),
        deployment("another-model", name="letters", alias="champion"),
        deployment("pinned", name="digits", version="3"),
    ):
        held.upsert(manifest)

    def caches(resource: Resource) -> Cache:
        return held if resource == MODEL_DEPLOYMENTS else Cache()

    assert woken(caches, "champion") == [Key("ModelDeployment", "team-a", "follows")]


def test_policies_and_open_promotions_of_this_alias_are_woken() -> None:
    another = make_promotion_policy("others").with_spec(model={"name": "letters"})
    held = {
        PROMOTION_POLICIES: [make_promotion_policy().build(), another.build()],
        PROMOTIONS: [make_promotion("open").build(), make_promotion("over").over().build()],
    }

    def caches(resource: Resource) -> Cache:
        cache = Cache()
        for manifest in held.get(resource, []):
            cache.upsert(manifest)
        return cache

    policy = Key("PromotionPolicy", "team-a", "digits")
    assert woken(caches, "champion") == [policy, Key("Promotion", "team-a", "open")]
    assert woken(caches, "candidate") == [policy]


def test_a_move_in_a_workspace_wakes_its_namespace_only() -> None:
    held = Cache()
    for namespace in ("team-a", "team-b"):
        held.upsert(deployment(f"of-{namespace}", namespace, name="digits", alias="champion"))

    def caches(resource: Resource) -> Cache:
        return held if resource == MODEL_DEPLOYMENTS else Cache()

    moved = Moved("digits", "champion", "team-b")
    found = followers.of_alias(caches, Workspaces.PER_NAMESPACE, moved)
    assert list(found) == [Key("ModelDeployment", "team-b", "of-team-b")]
