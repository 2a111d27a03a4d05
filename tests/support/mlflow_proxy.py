"""Stands between the operator and MLflow: answers in its place, sends nothing on, or keeps the answer for itself."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "content-encoding", "host"}


@dataclass
class Fault:
    """What happens to requests of this method (*: any) whose path holds this; to `times` of them, the others pass."""

    method: str
    path: str
    answer: tuple[int, str] | None = None
    """Status and body given in MLflow's place; none: the connection breaks."""
    is_applied: bool = False
    """Whether MLflow sees the request before its answer is lost."""
    meanwhile: Callable[[], None] | None = None
    """What happens then, before anybody learns what became of the request."""
    times: int = 1_000_000
    met: int = 0


class MlflowProxy:
    """Plain HTTP on loopback."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.fault: Fault | None = None
        self.seen: list[str] = []
        """Method and path of every request, in order."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self._server.server_port}"

    def due(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        fault = self.fault
        if fault is None or fault.method not in {method, "*"} or fault.path not in path or fault.met >= fault.times:
            return None
        fault.met += 1
        return fault

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    proxy: MlflowProxy


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.proxy.seen.append(f"{self.command} {self.path}")
        fault = self.server.proxy.due(self.command, self.path)
        if fault is None:
            self._pass_on(body)
        elif fault.answer is not None:
            status, text = fault.answer
            self._answer(status, text.encode(), {"Content-Type": "text/plain"})
        else:
            if fault.is_applied:
                self._ask(body)
            if fault.meanwhile:
                fault.meanwhile()
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815 - the base class calls them so

    def _ask(self, body: bytes) -> requests.Response:
        kept = {name: text for name, text in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        with requests.Session() as session:
            session.trust_env = False
            url = self.server.proxy.target + self.path
            return session.request(self.command, url, headers=kept, data=body, timeout=60)

    def _pass_on(self, body: bytes) -> None:
        try:
            found = self._ask(body)
        except requests.RequestException:
            self.close_connection = True
            return
        kept = {name: text for name, text in found.headers.items() if name.lower() not in _HOP_BY_HOP}
        self._answer(found.status_code, found.content, kept)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass
