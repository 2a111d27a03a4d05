"""Which objects follow an alias of a registered model."""

from collections.abc import Callable, Iterator

from modelyard.core.metadata import key_of
from modelyard.core.plan import Key
from modelyard.core.promotion.records import aim_of, is_over
from modelyard.engine.cache import Cache
from modelyard.kube.resources import MODEL_DEPLOYMENTS, PROMOTION_POLICIES, PROMOTIONS, Resource


def of_alias(caches: Callable[[Resource], Cache], model: str, alias: str) -> Iterator[Key]:
    """The objects whose next step may depend on where this alias points."""
    for manifest in caches(MODEL_DEPLOYMENTS).values():
        wanted = (manifest.get("spec") or {}).get("model") or {}
        if wanted.get("name") == model and wanted.get("alias") == alias:
            yield key_of(manifest)
    for manifest in caches(PROMOTION_POLICIES).values():
        spec = manifest["spec"]
        aliases = {(spec.get("candidate") or {}).get("alias"), (spec.get("target") or {}).get("alias")}
        if spec["model"]["name"] == model and alias in aliases:
            yield key_of(manifest)
    for manifest in caches(PROMOTIONS).values():
        if aim_of(manifest) == (model, alias) and not is_over(manifest):
            yield key_of(manifest)
