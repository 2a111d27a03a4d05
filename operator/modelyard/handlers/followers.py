"""Which objects follow an alias of a registered model."""

from collections.abc import Callable, Iterator

from modelyard.core.metadata import key_of
from modelyard.core.plan import Key
from modelyard.engine.cache import Cache
from modelyard.kube.resources import MODEL_DEPLOYMENTS, Resource


def of_alias(caches: Callable[[Resource], Cache], model: str, alias: str) -> Iterator[Key]:
    """The objects whose next step may depend on where this alias points."""
    for manifest in caches(MODEL_DEPLOYMENTS).values():
        wanted = (manifest.get("spec") or {}).get("model") or {}
        if wanted.get("name") == model and wanted.get("alias") == alias:
            yield key_of(manifest)
