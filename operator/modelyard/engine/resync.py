"""Lists everything: at the start, which is what makes the caches complete, and from time to time, which heals them."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from modelyard.core.plan import Manifest
from modelyard.engine.cache import Cache
from modelyard.engine.metrics import Metrics
from modelyard.engine.source import Source
from modelyard.kube.errors import Forbidden, NotFound
from modelyard.kube.resources import Resource

log = logging.getLogger(__name__)

Wake = Callable[[Source, Manifest], None]
"""Told of an object that changed or is gone."""


class Lists(Protocol):
    """What listing needs of the API server."""

    def list_pages(
        self, resource: Resource, namespace: str | None = None, label_selector: str | None = None, limit: int = 500
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        """Pages of objects with the list's version."""
        ...


class Resync:
    """Marks what lists show and sweeps what they do not; knows which kinds are served at all."""

    def __init__(
        self, lists: Lists, caches: dict[Resource, Cache], namespaces: Iterable[str], metrics: Metrics, wake: Wake
    ) -> None:
        self._lists = lists
        self._caches = caches
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._metrics = metrics
        self._wake = wake
        self._absent: set[Resource] = set()
        self._listed: set[Resource] = set()

    def is_served(self, resource: Resource) -> bool:
        """Whether the cluster has this kind, as of the last look."""
        return resource in self._listed and resource not in self._absent

    def served(self) -> frozenset[Resource]:
        """All kinds that the cluster has."""
        return frozenset(self._listed - self._absent)

    async def list_source(self, source: Source) -> None:
        """Bring one cache up to date.

        Raises:
            ApiError: it could not be listed; an optional kind that is not there is no error.
        """
        try:
            for namespace in self._namespaces:
                await self._mark_and_sweep(source, namespace)
        except (NotFound, Forbidden) as error:
            if not source.is_optional:
                raise
            self._miss(source, error)
        else:
            self._absent.discard(source.resource)
        cache = self._caches[source.resource]
        cache.forget_deletions()
        self._listed.add(source.resource)
        self._metrics.cache_objects.labels(str(source.resource)).set(len(cache))

    async def _mark_and_sweep(self, source: Source, namespace: str | None) -> None:
        """One list."""
        cache, seen, version = self._caches[source.resource], set[str](), "0"
        async for page in self._lists.list_pages(source.resource, namespace, source.label_selector):
            items, version = page
            for item in items:
                seen.add(item["metadata"]["uid"])
                if cache.upsert(item):
                    self._changed(source, item)
        for lost in cache.sweep(seen, version, namespace):
            self._metrics.swept.labels(str(source.resource)).inc()
            self._wake(source, lost)

    def _changed(self, source: Source, item: Manifest) -> None:
        """After the first list, what a list tells is what a watch missed or has not told yet."""
        if source.resource in self._listed:
            self._metrics.missed.labels(str(source.resource)).inc()
        self._wake(source, item)

    def _miss(self, source: Source, error: NotFound | Forbidden) -> None:
        """An optional kind that is not served has no objects.

        Permissions are checked before existence, so 403 may say the same; where it does not, the log names what is
        not permitted.
        """
        if source.resource not in self._absent:
            log.info("%s are not served by this cluster: %s", source.resource, error.message)
        self._absent.add(source.resource)
        cache = self._caches[source.resource]
        for held in list(cache.values()):
            cache.drop(held)
            self._wake(source, held)
