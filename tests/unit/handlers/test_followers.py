"""Who is woken when an alias moves."""

from typing import Any

from builders import make_promotion, make_promotion_policy
from modelyard.core.plan import Key, Manifest
from modelyard.engine.cache import Cache
from modelyard.handlers import followers
from modelyard.kube.resources import MODEL_DEPLOYMENTS, PROMOTION_POLICIES, PROMOTIONS, Resource


def deployment(name: str, /, **model: str) -> Manifest:
    metadata: dict[str, Any] = {"namespace": "team-a", "name": name, "uid": name, "resourceVersion": "1"}
    return {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": metadata,
        "spec": {"model": model},
    }


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

    assert list(followers.of_alias(caches, "digits", "champion")) == [Key("ModelDeployment", "team-a", "follows")]


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
    assert list(followers.of_alias(caches, "digits", "champion")) == [policy, Key("Promotion", "team-a", "open")]
    assert list(followers.of_alias(caches, "digits", "candidate")) == [policy]
