"""Who is woken when an alias moves."""

from typing import Any

from modelyard.core.plan import Key, Manifest
from modelyard.engine.cache import Cache
from modelyard.handlers import followers
from modelyard.kube.resources import MODEL_DEPLOYMENTS, Resource


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
