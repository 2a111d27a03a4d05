"""Stands for every model server: answers on loopback for the versions that a test says are served."""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modelyard_answers.recorder import Ask, Recorder

from support.exposition import INFER, counted

_METRICS = re.compile(r"/pods/([^/]+)/prometheus")
_ANSWERS = re.compile(r"/pods/([^/]+)/modelyard/answers")
_HEALTH = re.compile(r"/([^/]+)/([^/]+)/(health/status|metadata)")
_READY = re.compile(r"/([^/]+)/([^/]+)/v2/models/model/versions/([^/]+)/ready")


Reply = tuple[int, bytes]
PREDICTED: Reply = (200, b'{"predictions": [1]}')
PREDICTED_BY_PATH = {
    "invocations": PREDICTED,
    "api/v1.0/predictions": (200, b'{"data": {"names": [], "ndarray": [1]}, "meta": {}}'),
}
"""Where predictions are asked for by either protocol, and the usual answer."""


@dataclass(frozen=True)
class Load:
    """Predictions that a pod answers, evenly over time."""

    per_second: float = 0.0
    share_of_errors: float = 0.0
    seconds: float = 0.02
    """How long an answer takes."""
    path: str = INFER
    """Where predictions are asked for."""
    began: float = field(default_factory=time.monotonic)

    @property
    def metrics(self) -> str:
        """What the pod tells of it now."""
        answered = round(self.per_second * (time.monotonic() - self.began))
        return counted(answered, round(answered * self.share_of_errors), self.path, self.seconds)


class ModelServers:
    """One small HTTP server; the namespace and the Service are the first parts of the path, or a pod's address."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], set[str]] = {}
        self._replies: dict[tuple[str, str], Reply] = {}
        self.tried: list[tuple[str, str, str]] = []
        """Every request for a prediction: namespace, Service and body."""
        self._loads: dict[str, Load | None] = {}
        self._recorders: dict[str, Recorder] = {}
        served, replies, tried, loads = self._served, self._replies, self.tried, self._loads
        recorders = self._recorders

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = _METRICS.fullmatch(self.path)
                if asked:
                    self._tell(loads.get(asked[1], Load()))
                    return
                of_seldon = _HEALTH.fullmatch(self.path)
                if of_seldon:
                    self._tell_of_seldon(served.get((of_seldon[1], of_seldon[2]), set()))
                    return
                match = _READY.fullmatch(self.path)
                is_ready = match is not None and match[3] in served.get((match[1], match[2]), set())
                self.send_response(HTTPStatus.OK if is_ready else HTTPStatus.NOT_FOUND)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                asked = _ANSWERS.fullmatch(self.path)
                if asked:
                    self._compare(recorders.get(asked[1]), body)
                    return
                _, namespace, service, *rest = self.path.split("/")
                tried.append((namespace, service, body))
                usual = PREDICTED_BY_PATH.get("/".join(rest))
                status, answer = replies.get((namespace, service), usual or PREDICTED)
                self.send_response(status if usual else HTTPStatus.NOT_FOUND)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def _tell_of_seldon(self, versions: set[str]) -> None:
                body = json.dumps({"name": "model", "versions": sorted(versions)}).encode()
                self.send_response(HTTPStatus.OK if versions else HTTPStatus.SERVICE_UNAVAILABLE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _compare(self, recorder: Recorder | None, body: str) -> None:
                key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                is_known = recorder is not None and recorder.admits(key)
                told = json.dumps(recorder.tell(Ask.of(json.loads(body)))).encode() if recorder and is_known else b""
                self.send_response(HTTPStatus.OK if is_known else HTTPStatus.NOT_FOUND)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def _tell(self, load: Load | None) -> None:
                body = load.metrics.encode() if load else b""
                self.send_response(HTTPStatus.OK if load else HTTPStatus.SERVICE_UNAVAILABLE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url_template(self) -> str:
        """For MODELYARD_SERVICE_URL."""
        return f"http://127.0.0.1:{self._server.server_port}/{{namespace}}/{{service}}"

    @property
    def pod_url_template(self) -> str:
        """For MODELYARD_POD_URL."""
        return f"http://127.0.0.1:{self._server.server_port}/pods/{{ip}}"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def load(self, ip: str, load: Load | None) -> None:
        """From now on the pod with this address answers so much; None: it does not tell."""
        self._loads[ip] = load

    def listen(self, ip: str, key: str) -> Recorder:
        """From now on the pod with this address tells of its answers to who holds the key."""
        return self._recorders.setdefault(ip, Recorder(key.encode()))

    def answer(self, namespace: str, service: str, *versions: str) -> None:
        """From now on exactly these versions are ready there."""
        self._served[namespace, service] = set(versions)

    def reply(self, namespace: str, service: str, reply: Reply) -> None:
        """From now on requests for predictions are answered so there."""
        self._replies[namespace, service] = reply

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
