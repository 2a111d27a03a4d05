"""The engine: keeps caches warm on every replica, and reconciles on the one that leads."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from modelyard.core.plan import Key, Manifest
from modelyard.engine.cache import Cache
from modelyard.engine.leader import Elector, Terms
from modelyard.engine.metrics import Metrics
from modelyard.engine.probes import Heartbeat, served
from modelyard.engine.queue import WorkQueue
from modelyard.engine.resync import Resync
from modelyard.engine.source import Source
from modelyard.engine.watching import WatchSession
from modelyard.engine.workers import Reconcile, Workers
from modelyard.kube.client import KubeClient
from modelyard.kube.errors import ApiError
from modelyard.kube.resources import Resource, resource_of
from modelyard.settings import Settings

log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How long a reconcile may go on after SIGTERM; the next leader waits for it, and does again what was cancelled."""
_FIRST_TRY_SECONDS = 1.0
_LAST_TRY_SECONDS = 30.0
_OPTIONAL_SECONDS = 30.0
"""How often it is looked whether an optional kind came or went."""
_STALE_AFTER_PERIODS = 3
_PERIODIC = "Periodic"
"""Keys of this kind hold the number of a periodic task in place of a name: it is retried like everything else."""

Periodic = Callable[[], Awaitable[None]]


class Engine:
    """Knows no kind: what is watched, what it wakes and how it is reconciled is given to it.

    Any task of it that ends ends the process: a new one starts from what the cluster says.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - here everything meets
        self,
        settings: Settings,
        client: KubeClient,
        sources: Sequence[Source],
        reconcilers: Mapping[str, Reconcile],
        metrics: Metrics,
        periodic: Sequence[Periodic] = (),
    ) -> None:
        self._settings = settings
        self._client = client
        self._sources = {source.resource: source for source in sources}
        self._caches = {source.resource: Cache() for source in sources}
        self._metrics = metrics
        self._periodic = tuple(periodic)
        self._reconcilers = {**reconcilers, _PERIODIC: self._run_periodic}
        self.queue: WorkQueue[Key] = WorkQueue(asyncio.get_running_loop(), metrics)
        terms = Terms(
            settings.operator_namespace,
            settings.identity,
            lease_seconds=settings.lease_seconds,
            url=settings.webhook_url,
        )
        self._elector = Elector(client, terms)
        self._resync = Resync(client, self._caches, settings.namespaces, metrics, self._wake)
        self._workers = Workers(self.queue, self._reconcilers, metrics, self._may_work, self._generation)
        self._heartbeat = Heartbeat()
        self._is_leading = False
        self._is_synced = False
        self._resynced_at = time.monotonic()
        self._watched: frozenset[Resource] = frozenset()
        self._served_changed = asyncio.Event()

    def cache(self, resource: Resource) -> Cache:
        """The objects of a resource that is watched."""
        return self._caches[resource]

    def is_served(self, resource: Resource) -> bool:
        """Whether the cluster has this kind of object; only for optional ones may it be False."""
        return self._resync.is_served(resource)

    def upsert(self, manifest: Manifest) -> None:
        """Take in what the API server answered to a write, before the watch tells of it."""
        resource = resource_of(manifest)
        cache = self._caches.get(resource)
        if cache is None:
            return
        metadata = manifest["metadata"]
        held = cache.get(metadata.get("namespace", ""), metadata["name"])
        # The answer may hold somebody else's change, too, whose own event will be taken for old; and so will that of an
        # object of ours that another one of them had made.
        is_made = held is None and resource.kind in self._reconcilers
        is_news = held is not None and held["metadata"].get("generation") != metadata.get("generation")
        if not cache.upsert(manifest):
            return
        source = self._sources[resource]
        self.wake(source.wakes(manifest) if is_made or is_news else source.is_told_to(manifest))

    @property
    def is_leading(self) -> bool:
        """Whether this replica works."""
        return self._may_work()

    @property
    def leader_url(self) -> str:
        """Where the replica that works receives webhooks; empty while none is known to."""
        return self._elector.leader_url

    def wake(self, keys: Iterable[Key]) -> None:
        """Queue these keys; a replica that does not lead will look at everything once it does."""
        if not self._is_leading:
            return
        for key in keys:
            # Labels are anyone's to set.
            if key.kind in self._reconcilers and key.kind != _PERIODIC:
                self.queue.add(key)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop; then give the Lease back and return, well within 25 seconds.

        Raises:
            BaseExceptionGroup: a task of the engine failed, or leadership was lost; the process has to end.
        """
        settings, ports = self._settings, (self._settings.probe_port, self._settings.metrics_port)
        async with (
            served(settings.probe_host, ports, self._metrics, self._unhealthy, self._unready),
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(self._heartbeat.run()), group.create_task(self._live())]
            await stop.wait()
            log.info("stopping")
            await self._finish_work()
            for task in tasks:
                task.cancel()
        log.info("stopped")

    async def _live(self) -> None:
        """Everything after the start-up."""
        await self._sync()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._resync_for_ever())
            group.create_task(self._look_for_optional_kinds())
            group.create_task(self._lead())

    async def _sync(self) -> None:
        """Fill every cache, however long the API server or a CRD lets us wait for it."""
        delay = _FIRST_TRY_SECONDS
        while True:
            try:
                await self._list_everything()
            except ApiError as error:
                log.warning("not ready: a kind cannot be listed; to be tried again in %.0f s: %s", delay, error)
                await _sleep_about(delay)
                delay = min(delay * 2, _LAST_TRY_SECONDS)
            else:
                self._is_synced = True
                log.info("synced: %s", {str(resource): len(cache) for resource, cache in self._caches.items()})
                return

    async def _list_everything(self) -> None:
        """One list of each kind."""
        for source in self._sources.values():
            await self._resync.list_source(source)
        self._resynced_at = time.monotonic()
        self._metrics.resync_time.set_to_current_time()

    async def _resync_for_ever(self) -> None:
        """Heal what watches lost; one that failed is made up for by the next."""
        while True:
            await _sleep_about(self._settings.resync_seconds)
            try:
                await self._list_everything()
            except ApiError as error:
                log.warning("resync failed: %s", error)
            self._note_served()
            if self._is_leading:
                self._start_periodic()

    async def _look_for_optional_kinds(self) -> None:
        """Notice that an optional kind was installed or removed."""
        optional = [source for source in self._sources.values() if source.is_optional]
        while optional:
            await _sleep_about(_OPTIONAL_SECONDS)
            for source in optional:
                if not self.is_served(source.resource) or not await self._is_discovered(source):
                    await self._look_for(source)

    async def _look_for(self, source: Source) -> None:
        """List an optional kind; what changes with it is to be looked at anew."""
        with contextlib.suppress(ApiError):  # the next look tells
            await self._resync.list_source(source)
        self._note_served()

    def _note_served(self) -> None:
        """Have what is served watched, and no more; what depends on it is to be looked at anew."""
        served = self._resync.served()
        if served == self._watched:
            return
        log.info("the cluster serves other kinds now: %s", sorted(str(resource) for resource in served ^ self._watched))
        self._served_changed.set()
        self._wake_all()

    async def _watch(self) -> None:
        """Watch what is served; start anew when that changes."""
        while True:
            sources = await self._discovered()
            session = WatchSession(sources, self._settings.namespaces, self._client.credentials, self._on_event)
            changed = asyncio.create_task(self._served_changed.wait())
            watching = asyncio.create_task(session.run())
            try:
                await asyncio.wait([changed, watching], return_when=asyncio.FIRST_COMPLETED)
                if watching.done() and not await self._was_a_kind_removed(sources):
                    await watching  # raises what ended it
            finally:
                changed.cancel()
                watching.cancel()
                await asyncio.wait([changed, watching])

    async def _discovered(self) -> list[Source]:
        """What is served, as soon as Kopf can find all of it: what it does not find at its start, it never watches."""
        while True:
            self._served_changed.clear()
            self._watched = self._resync.served()
            sources = [source for source in self._sources.values() if source.resource in self._watched]
            hidden = [source for source in sources if not await self._is_discovered(source)]
            if not hidden:
                return sources
            log.info("waiting until the API server tells of %s", [str(source.resource) for source in hidden])
            await _sleep_about(_FIRST_TRY_SECONDS)
            for source in hidden:
                await self._look_for(source)

    async def _is_discovered(self, source: Source) -> bool:
        """Whether Kopf would find it."""
        try:
            return await self._client.is_discovered(source.resource)
        except ApiError as error:
            log.warning("cannot ask which kinds are served: %s", error)
            return False

    async def _was_a_kind_removed(self, sources: Sequence[Source]) -> bool:
        """Whether that is why watching ended: watches of a kind that is gone fail."""
        for source in sources:
            if source.is_optional:
                await self._look_for(source)
        return self._served_changed.is_set()

    async def _lead(self) -> None:
        """Wait to lead; then work until leadership is lost."""
        gauge = self._metrics.is_leader.labels("modelyard")
        gauge.set(0)
        try:
            await self._elector.acquire()
            self._is_leading = True
            gauge.set(1)
            self._wake_all()
            self._start_periodic()
            await self._work()
        finally:
            # However it ended, nobody works here any more: another replica may start at once.
            self._is_leading = False
            gauge.set(0)
            await self._elector.release()

    async def _work(self) -> None:
        """Keep the Lease and work."""
        self._metrics.most_workers.labels("modelyard").set(self._settings.workers)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._elector.keep())
            for _ in range(self._settings.workers):
                group.create_task(self._workers.run())

    def _may_work(self) -> bool:
        """Whether reconciles may start."""
        return self._is_leading and self._elector.leads

    async def _finish_work(self) -> None:
        """Take no more keys, and let those at work come to their end."""
        self._is_leading = False
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._workers.drained()
        except TimeoutError:
            log.info("cancelling reconciles that are still at work")

    def _on_event(self, source: Source, event_type: str, manifest: Manifest) -> None:
        """Take in what a watch tells."""
        name = str(source.resource)
        cache = self._caches[source.resource]
        self._metrics.watch_events.labels(name, event_type).inc()
        if event_type == "DELETED":
            is_news = True
            cache.drop(manifest)
        else:
            # An older version than the one held is news, too: that one came with our own write and woke nobody.
            is_news = not cache.knows(manifest)
            cache.upsert(manifest)
        self._metrics.cache_objects.labels(name).set(len(cache))
        if is_news:
            self._wake(source, manifest)

    def _wake(self, source: Source, manifest: Manifest) -> None:
        """Queue whom an object concerns."""
        if self._is_leading:
            self.wake(source.wakes(manifest))

    def _wake_all(self) -> None:
        """Queue everything."""
        for resource, cache in self._caches.items():
            for held in cache.values():
                self._wake(self._sources[resource], held)

    def _start_periodic(self) -> None:
        """Queue what is to be done from time to time."""
        for number in range(len(self._periodic)):
            self.queue.add(Key(_PERIODIC, "", str(number)))

    async def _run_periodic(self, key: Key) -> None:
        """One of the periodic tasks."""
        await self._periodic[int(key.name)]()

    def _generation(self, key: Key) -> int | None:
        """The generation of the object with this key."""
        for resource, cache in self._caches.items():
            if resource.kind == key.kind and (held := cache.get(key.namespace, key.name)):
                return int(held["metadata"].get("generation", 0))
        return None

    def _unhealthy(self) -> str | None:
        """Why this process should be started anew; tasks that end do that by themselves."""
        age = time.monotonic() - self._resynced_at
        if self._is_synced and age > _STALE_AFTER_PERIODS * self._settings.resync_seconds:
            return f"the last resync was {age:.0f} s ago"
        return self._heartbeat.complaint()

    def _unready(self) -> str | None:
        """Why this replica could not lead."""
        return None if self._is_synced else "the caches are not filled yet"


async def _sleep_about(seconds: float) -> None:
    """Sleep so long, give or take a fifth: replicas that start together do not ask together for ever."""
    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))
