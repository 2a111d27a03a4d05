"""The servers of one pod: REST with gunicorn, gRPC and metrics beside it in the process that holds the model."""

import os
import threading
from types import FrameType
from typing import Any

from flask import Flask, Request
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.http.message import Request as GunicornRequest
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import TConn, ThreadWorker
from mlflow.utils.proto_json_utils import NumpyEncoder
from modelyard_report import cut, report
from prometheus_client import CollectorRegistry, start_http_server
from seldon_core.flask_utils import SeldonMicroserviceException, jsonify
from seldon_core.wrapper import get_grpc_server, get_rest_microservice
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from modelyard_seldon.component import FOLDER, Model, Unmeasured
from modelyard_seldon.counting import count_answers

_CONNECTIONS = 32
"""Threads of HTTP: each open connection without a request takes one, and probes have to come through beside them."""
_DRAIN_SECONDS = 15
_FAREWELL_SECONDS = 2
"""How long clients that keep a connection are still answered, and told to open no more requests on it."""
_KEPT_SECONDS = 120
"""Longer than gateways keep an idle connection, so that it is never closed under a request."""


class Served(BaseApplication):
    """One worker process that loads the model and answers for it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._grpc: Any = None
        super().__init__()

    def load_config(self) -> None:
        """No time-out of gunicorn's: it would kill a worker that loads a large model; probes judge it."""
        settings = {
            "bind": f"0.0.0.0:{_port('HTTP', 9000)}",
            "worker_class": f"{__name__}.{FarewellWorker.__name__}",  # gunicorn wants its name
            "workers": 1,
            "threads": _CONNECTIONS,
            "timeout": 0,
            "graceful_timeout": _DRAIN_SECONDS,
            "keepalive": _KEPT_SECONDS,
            "loglevel": "warning",
            "worker_exit": self._stop_grpc,
            "child_exit": _end_with_the_worker,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker, before it takes requests: gRPC and its threads would not survive a fork."""
        try:
            self._model.load()
        except Exception as error:
            tell(explain(self._model.version, error))
            raise
        registry = CollectorRegistry()
        app = get_rest_microservice(self._model, Unmeasured())
        app.json.default = NumpyEncoder().default
        app.request_class = JsonRequest
        app.register_error_handler(HTTPException, _say_what_http_says)
        count_answers(app, registry)
        start_http_server(_port("METRICS", 6000), registry=registry)
        self._grpc = get_grpc_server(self._model, Unmeasured(), num_threads=4)
        self._grpc.add_insecure_port(f"0.0.0.0:{_port('GRPC', 9500)}")
        self._grpc.start()
        return app

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; ends the process."""
        Watch(self).run()

    def _stop_grpc(self, _arbiter: Arbiter, _worker: Worker) -> None:
        if self._grpc is not None:
            self._grpc.stop(_DRAIN_SECONDS).wait()


class JsonRequest(Request):
    """A request whose body is JSON though its client does not say so, as of `kubectl create --raw`; as at MLServer."""

    is_json = True


class FarewellWorker(ThreadWorker):
    """Takes leave of kept connections: one that is closed without a word fails the request that is on its way."""

    is_leaving = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: from now on each answer is the last one of its connection."""
        self.is_leaving = True
        threading.Timer(_FAREWELL_SECONDS, super().handle_exit, (sig, frame)).start()

    def handle_request(self, request: GunicornRequest, connection: TConn) -> bool:
        """One request, as if its client had asked for the connection's end."""
        if self.is_leaving:
            request.headers.insert(0, ("CONNECTION", "close"))
        is_kept: bool = super().handle_request(request, connection)
        return is_kept


class Watch(Arbiter):
    """Knows whether it was asked to end."""

    is_ending = False

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's own
        """End the worker."""
        self.is_ending = True
        super().stop(graceful)


def _end_with_the_worker(arbiter: Watch, _worker: Worker) -> None:
    """A worker that dies takes the container along: its restarts are then counted, told and delayed by the kubelet."""
    if not arbiter.is_ending:
        tell("the process that held the model ended without being asked to")
        raise HaltServer("the worker is gone", 1)


def _say_what_http_says(error: HTTPException) -> Response:
    """404 and the like, which Seldon's package would answer with 500."""
    said = SeldonMicroserviceException(error.description, error.code, reason="MICROSERVICE_BAD_REQUEST")
    response: Response = jsonify(said.to_dict())
    response.status_code = said.status_code
    return response


def _port(kind: str, default: int) -> int:
    """A port by the variable that Seldon sets."""
    return int(os.environ.get(f"PREDICTIVE_UNIT_{kind}_SERVICE_PORT") or default)


def explain(version: str | None, cause: Exception) -> str:
    """One line: which model, what happened, and what to do about it where that is known."""
    what = f"model version {version or '?'} in {FOLDER} is not served"
    why = cut(f"{what}: {type(cause).__name__}: {cause}")
    if isinstance(cause, ModuleNotFoundError):
        why += f". Build an image from this one that has the module {cause.name}, and name it in spec.server.image"
    return why


def tell(why: str) -> None:
    """The last line of the log, and the container's termination message."""
    report({"reason": "ModelNotServed", "message": why}, os.environ)


def main() -> None:
    """Serve with as many predictions at once as GUNICORN_THREADS says, which Seldon's own images know too."""
    Served(Model(at_once=max(1, int(os.environ.get("GUNICORN_THREADS") or 1)))).run()
