"""Stands between the operator and the API server, and refuses writes with 429 when told to."""

import http.client
import json
import ssl
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "host", "accept-encoding"}


class ThrottlingProxy:
    """Plain HTTP on loopback; `retry_after` is None while everything passes, else the seconds that writes are told."""

    def __init__(self, server_url: str, ca_file: Path) -> None:
        self.retry_after: int | None = None
        self.refused: dict[str, list[float]] = defaultdict(list)
        """When which path was refused a write."""
        self._upstream = urlsplit(server_url)
        self._context = ssl.create_default_context(cafile=str(ca_file))
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy.pass_on(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the base class's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def kubeconfig(self, account: Path) -> Path:
        """The account's kubeconfig, by way of this proxy."""
        content = json.loads(account.read_text())
        content["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        file = account.with_suffix(".proxied")
        file.touch(mode=0o600)
        file.write_text(json.dumps(content))
        return file

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Refuse or forward one request; a watch lasts as long as both ends want it."""
        request.close_connection = True
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        is_election = "/leases" in request.path
        if self.retry_after is not None and request.command in _WRITES and not is_election:
            self._refuse(request, self.retry_after)
            return
        try:
            self._forward(request, body)
        except OSError:
            return  # one of the two ends is gone

    def _refuse(self, request: BaseHTTPRequestHandler, seconds: int) -> None:
        self.refused[urlsplit(request.path).path].append(time.monotonic())
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "TooManyRequests", "code": 429}
        content = json.dumps({**said, "message": "too many requests"}).encode()
        request.send_response(429)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Retry-After", str(seconds))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(content)

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        host, port = self._upstream.hostname or "", self._upstream.port
        upstream = http.client.HTTPSConnection(host, port, context=self._context)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        try:
            upstream.request(request.command, request.path, body or None, headers)
            answer = upstream.getresponse()
            request.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    request.send_header(name, value)
            request.send_header("Connection", "close")
            request.end_headers()
            while chunk := answer.read1(65536):
                request.wfile.write(chunk)
                request.wfile.flush()
        finally:
            upstream.close()
