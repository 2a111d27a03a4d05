"""Kopf, which watches: it lists, streams, reconnects and logs in again, and hands each event over.

It runs in a thread with an event loop of its own. There it may do what it does to its loop's tasks and signals when it
ends, and it can be started anew, with other kinds, while the rest of the process works on.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import kopf
import uvloop

from modelyard.api import names
from modelyard.core.plan import Manifest
from modelyard.engine.source import Source
from modelyard.kube.connection import Credentials

log = logging.getLogger(__name__)

STOP_SECONDS = 2.0
"""Kopf waits longer for some of its tasks; what it does meanwhile harms nobody."""

Deliver = Callable[[Source, str, Manifest], None]
"""Told of each event, in the engine's thread: source, type (LISTED, ADDED, MODIFIED or DELETED), object."""

LogIn = Callable[[], Coroutine[Any, Any, Credentials]]


class WatchSession:
    """One life of Kopf, with a fixed set of sources."""

    def __init__(self, sources: Sequence[Source], namespaces: Sequence[str], log_in: LogIn, deliver: Deliver) -> None:
        self._sources = tuple(sources)
        self._namespaces = tuple(namespaces)
        self._log_in = log_in
        self._deliver = deliver
        self._engine_loop = asyncio.get_running_loop()
        self._kopf_loop = uvloop.new_event_loop()
        self._stop = asyncio.Event()
        self._ended: asyncio.Future[None] = self._engine_loop.create_future()

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            Exception: whatever ended Kopf.
        """
        # A daemon: a Kopf that hangs does not keep the process alive.
        threading.Thread(target=self._run_kopf, name="kopf", daemon=True).start()
        try:
            await asyncio.shield(self._ended)
        except asyncio.CancelledError:
            await self._end()
            raise
        raise RuntimeError("Kopf ended by itself")

    async def _end(self) -> None:
        """Let Kopf end."""
        self._kopf_loop.call_soon_threadsafe(self._stop.set)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.wait([self._ended])
        except TimeoutError:
            log.debug("Kopf did not end within %.0f s and is left to itself", STOP_SECONDS)

    def _run_kopf(self) -> None:
        """The thread."""
        outcome: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=lambda: self._kopf_loop) as runner:
                runner.run(self._operate())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the engine's thread has to hear of it
            outcome = error
        self._tell_engine(self._finish, outcome)

    def _finish(self, outcome: BaseException | None) -> None:
        """The thread's outcome, in the engine's loop."""
        if self._ended.done():
            return
        if outcome is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(RuntimeError(f"Kopf ended: {outcome!r}"))
            self._ended.exception()  # it may come after the last one who would ask for it

    async def _operate(self) -> None:
        """Kopf's life."""
        await kopf.operator(
            registry=self._registry(),
            settings=kopf_settings(self._sources),
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._stop,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        """One handler per source, and the login."""
        registry = kopf.OperatorRegistry()
        for source in self._sources:
            resource = source.resource
            kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=str(resource))(
                self._handler(source)
            )
        kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(self._on_login)
        return registry

    def _handler(self, source: Source) -> Callable[..., Coroutine[Any, Any, None]]:
        """Hands events over and does nothing else."""

        async def hand_over(event: Any, **_: Any) -> None:  # noqa: ANN401 - Kopf's own type is not public
            self._tell_engine(self._deliver, source, event["type"] or "LISTED", event["object"])

        return hand_over

    def _tell_engine(self, callback: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - passed through
        """Call it in the engine's thread, in the order of the calls; nobody listens once that loop is closed."""
        if not self._engine_loop.is_closed():
            self._engine_loop.call_soon_threadsafe(callback, *arguments)

    async def _on_login(self, **_: Any) -> kopf.ConnectionInfo:  # noqa: ANN401 - Kopf passes what it likes
        """The engine's own credentials."""
        asked = asyncio.run_coroutine_threadsafe(self._log_in(), self._engine_loop)
        found = await asyncio.wrap_future(asked)
        scheme, _space, token = (found.authorization or "").partition(" ")
        return kopf.ConnectionInfo(
            server=found.server,
            ca_path=found.ca_file,
            insecure=found.is_insecure,
            certificate_path=found.certificate_file,
            private_key_path=found.key_file,
            scheme=scheme or None,
            token=token.strip() or None,
        )


def kopf_settings(sources: Iterable[Source]) -> kopf.OperatorSettings:
    """Kopf as a watcher: nothing is written, nothing is discovered, streams never stall for long."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    # A bug in leaving is the thread's, not the process's.
    settings.process.ultimate_exiting_timeout = None
    # Objects that carry Kopf's finalizer would have it removed.
    settings.persistence.finalizer = f"{names.GROUP}/kopf-unused"
    # Handlers return at once; this is how long Kopf keeps a task for each object after its event.
    settings.queueing.idle_timeout = 0.5
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.enforce_retry_after = True
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    # Bookmarks come every minute; a stream without them is dead.
    settings.watching.inactivity_timeout = 70
    settings.watching.server_timeout = 600
    label_selectors: Any = settings.watching.label_selectors  # it takes more kinds of keys than its type says
    for source in sources:
        resource = source.resource
        if source.label_selector:
            selector = (resource.group, resource.version, resource.plural)
            label_selectors[selector] = source.label_selector
    return settings
