#!/usr/bin/env python3
"""modelyard-serve: serves the model that the environment names with MLServer.

MLServer ends with code 0 after a model failed to load. Here a server that ends without being asked to is a failure, and
its last line says why, in the log and in the container's status.
"""
# ruff: noqa: E402 - the first statement has to run before the imports

import signal
import sys

# Before the imports, which take seconds: the first process of a container ignores signals that nobody handles.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import asyncio
import contextlib
import json
import logging
import os
from pathlib import Path

from mlserver import MLServer, ModelSettings, Settings
from mlserver.logging import logger
from mlserver.settings import ModelParameters
from mlserver.utils import install_uvloop_event_loop
from modelyard_answers.hook import PATH, Listener, Teller
from modelyard_answers.recorder import Recorder
from modelyard_farewell import Closing, Farewell
from starlette.middleware import Middleware

MESSAGE_LIMIT = 1000


class Server(MLServer):
    """An MLServer that remembers whether it was asked to end, and takes leave of its clients then."""

    was_asked: bool | None = None

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._farewell = Farewell()
        # MLServer has no public way in for a middleware.
        self._rest_server._app.user_middleware.insert(0, Middleware(Closing, farewell=self._farewell))  # noqa: SLF001

    async def stop(self, sig: int | None = None) -> None:
        """Ends the server; without a signal where a model failed to load."""
        # The first call counts: ending, uvicorn raises signals of its own.
        if self.was_asked is None:
            self.was_asked = sig is not None
            if self.was_asked:
                await self._farewell.take()
        await super().stop(sig)


class LastError(logging.Handler):
    """Keeps the exception that MLServer logs and swallows."""

    cause: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Remembers a logged exception."""
        if record.exc_info and record.exc_info[1]:
            self.cause = record.exc_info[1]


def explain(model: ModelSettings, cause: BaseException | None) -> str:
    """One line: which model, what happened, and what to do about it where that is known."""
    uri = model.parameters.uri if model.parameters else None
    version = model.parameters.version if model.parameters else None
    what = f"model {model.name} version {version} in {uri} is not served"
    if cause is None:
        return f"{what}: the server ended without being asked to"
    why = f"{what}: {type(cause).__name__}: {' '.join(str(cause).split())}"[:MESSAGE_LIMIT]
    if isinstance(cause, ModuleNotFoundError):
        why += f". Build an image from this one that has the module {cause.name}, and name it in spec.server.image"
    return why


def report(why: str) -> None:
    """The last line of the log, and the container's termination message in the form that the fetcher's has too."""
    print(f"modelyard-serve: {why}", file=sys.stderr, flush=True)
    path = Path(os.environ.get("MODELYARD_TERMINATION_LOG") or "/dev/termination-log")
    with contextlib.suppress(OSError):
        path.write_text(json.dumps({"reason": "ModelNotServed", "message": why}) + "\n", "utf-8")


def listen(server: MLServer, key: str) -> None:
    """Lets who holds the key see whether two servers answer the same requests alike."""
    recorder = Recorder(key.encode())
    # The innermost hears answers before they are compressed.
    server._rest_server._app.user_middleware.append(Middleware(Listener, recorder=recorder))  # noqa: SLF001
    server._metrics_server._app.add_route(PATH, Teller(recorder))  # noqa: SLF001


async def serve(model: ModelSettings) -> bool:
    """Serves until a signal comes or the model fails to load: True and False."""
    settings = Settings()
    server = Server(settings)
    key = os.environ.get("MODELYARD_ANSWERS_KEY")
    if key and settings.metrics_endpoint:
        listen(server, key)
    await server.start([model])
    return bool(server.was_asked)


def main() -> int:
    """0 after SIGTERM or SIGINT, 1 after anything else."""
    model = ModelSettings()
    model.parameters = ModelParameters()
    errors = LastError(logging.ERROR)
    logger.addHandler(errors)
    install_uvloop_event_loop()
    if asyncio.run(serve(model)):
        return 0
    report(explain(model, errors.cause))
    return 1


if __name__ == "__main__":
    sys.exit(main())
