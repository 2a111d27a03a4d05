"""A registry with MLflow's two APIs in a few lines, and the fetcher as a function."""

import http.server
import json
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

ROOT = "1/models/m-1/artifacts"
MODEL = b"""\
artifact_path: x
flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    code: null
run_id: r
"""


@dataclass
class Registry:
    """What the server has and how it misbehaves; tests change both."""

    files: dict[str, bytes] = field(default_factory=dict)
    uri: str = f"mlflow-artifacts:/{ROOT}"
    listed_sizes: dict[str, int] = field(default_factory=dict)
    listed_names: list[Any] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    always: tuple[int, str] | None = None
    cut_after: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    base: str = ""

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, bytes]:
        if self.failures:
            return self.failures.pop(0), b"not now"
        if self.always:
            return self.always[0], self.always[1].encode()
        if path.endswith("/get-download-uri"):
            return self.download_uri(query)
        below = path.removeprefix("/api/2.0/mlflow-artifacts/artifacts")
        if "path" in query:
            return 200, json.dumps(self.listing(query["path"][0])).encode()
        name = urllib.parse.unquote(below).removeprefix(f"/{ROOT}/")
        if name not in self.files:
            return 404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
        return 200, self.files[name]

    def download_uri(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        if query["name"] != ["digits"] or query["version"] != ["3"]:
            return 404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"}'
        return 200, json.dumps({"artifact_uri": self.uri}).encode()

    def listing(self, folder: str) -> dict[str, Any]:
        below = folder.removeprefix(ROOT).strip("/")
        entries: dict[str, dict[str, Any]] = {}
        for name, content in self.files.items():
            if below and not name.startswith(f"{below}/"):
                continue
            first, _, rest = name.removeprefix(below).strip("/").partition("/")
            size = self.listed_sizes.get(name, len(content))
            entries[first] = {"path": first, "is_dir": True} if rest else {"path": first, "file_size": size}
        extra = [{"path": name, "file_size": 1} for name in self.listed_names] if not below else []
        return {"files": [*entries.values(), *extra]}


def make_handler(registry: Registry) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            registry.headers.update(self.headers.items())
            registry.paths.append(self.path)
            code, body = registry.answer(parts.path, urllib.parse.parse_qs(parts.query))
            self.send_response(code)
            if 300 <= code < 400:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: registry.cut_after.pop(parts.path.rpartition("/")[2], len(body))])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def serve(registry: Registry, context: ssl.SSLContext | None = None) -> Iterator[Registry]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), make_handler(registry))
    registry.base = f"http://127.0.0.1:{server.server_port}"
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        registry.base = f"https://localhost:{server.server_port}"
    # A refused handshake is what some tests want to see; its traceback is not.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield registry
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Outcome:
    code: int
    message: dict[str, Any]


Fetch = Callable[..., Outcome]
