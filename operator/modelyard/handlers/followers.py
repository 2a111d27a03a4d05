"""Which objects follow an alias of a registered model."""

from collections.abc import Callable, Iterator

from modelyard.core.metadata import key_of
from modelyard.core.plan import Key, Manifest
from modelyard.core.promotion.records import aim_of, is_over
from modelyard.core.tracking import Moved
from modelyard.core.workspaces import Workspaces
from modelyard.engine.cache import Cache
from modelyard.kube.resources import MODEL_DEPLOYMENTS, PROMOTION_POLICIES, PROMOTIONS, Resource


def of_alias(caches: Callable[[Resource], Cache], workspaces: Workspaces, moved: Moved) -> Iterator[Key]:
    """The objects whose next step may depend on where this alias points."""
    model, alias = moved.model, moved.alias

    def held(resource: Resource) -> list[Manifest]:
        cached = caches(resource).values()
        return [item for item in cached if workspaces.of(item["metadata"]["namespace"]) == moved.workspace]

    for manifest in held(MODEL_DEPLOYMENTS):
        wanted = (manifest.get("spec") or {}).get("model") or {}
        if wanted.get("name") == model and wanted.get("alias") == alias:
            yield key_of(manifest)
    for manifest in held(PROMOTION_POLICIES):
        spec = manifest["spec"]
        aliases = {(spec.get("candidate") or {}).get("alias"), (spec.get("target") or {}).get("alias")}
        if spec["model"]["name"] == model and alias in aliases:
            yield key_of(manifest)
    for manifest in held(PROMOTIONS):
        if aim_of(manifest) == (model, alias) and not is_over(manifest):
            yield key_of(manifest)
