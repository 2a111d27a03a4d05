"""A git repository and a server for it: git's own http-backend behind a small HTTP server on loopback."""

import base64
import os
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_AUTHOR = ("-c", "user.name=A Person", "-c", "user.email=person@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """What git prints in this folder, with no settings of whoever runs the tests."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    command = ["git", "-C", str(folder), *_AUTHOR, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Origin:
    """A repository to fetch from: `<root>/team/digits.git`."""

    root: Path

    @property
    def bare(self) -> Path:
        return self.root / "team" / "digits.git"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @classmethod
    def make(cls, root: Path) -> "Origin":
        """An empty repository whose default branch is main."""
        origin = cls(root)
        origin.bare.mkdir(parents=True)
        git(origin.bare, "init", "--quiet", "--bare", "--initial-branch=main")
        origin.work.mkdir()
        git(origin.work, "init", "--quiet", "--initial-branch=main")
        return origin

    def commit(self, files: dict[str, str] | None = None, branch: str = "main") -> str:
        """A further commit on a branch, with these files changed; its name."""
        known = git(self.work, "branch", "--list", branch)
        if known or git(self.work, "branch", "--show-current") != branch:
            git(self.work, "checkout", "--quiet", *([] if known else ["-b"]), branch)
        for name, text in (files or {}).items():
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "--message", "change")
        self.push()
        return git(self.work, "rev-parse", "HEAD")

    def push(self) -> None:
        git(self.work, "push", "--quiet", "--force", "--all", str(self.bare))
        git(self.work, "push", "--quiet", "--force", "--tags", str(self.bare))


@dataclass
class GitServer:
    """Serves what lies below a folder."""

    root: Path
    password: str = ""
    is_old: bool = False
    """Speaks git's first protocol, which hands out only what a branch or tag ends with."""
    answer: int = 0
    """Answered to everything, instead of what is asked for."""
    base: str = ""
    authorizations: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.base}/team/digits.git"

    def refuses(self, authorization: str | None) -> bool:
        self.authorizations += [authorization] if authorization else []
        known = base64.b64encode(f"alice:{self.password}".encode()).decode()
        return bool(self.password) and authorization != f"Basic {known}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: GitServer

    def do_GET(self) -> None:
        if self.served.answer or self.served.refuses(self.headers.get("Authorization")):
            code = self.served.answer or 401
            self._send(code, [("WWW-Authenticate", 'Basic realm="git"')] if code == 401 else [], b"")
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": urllib.parse.unquote(path),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": "" if self.served.is_old else self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().split("\r\n"))
        ]
        code = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._send(code, [pair for pair in headers if pair[0] != "Status"], content)

    do_POST = do_GET  # noqa: N815 - the name is http.server's

    def _send(self, code: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's own output is enough."""


@contextmanager
def serving(server: GitServer, certificate: Path | None = None) -> Iterator[GitServer]:
    """The server on a free port, with TLS where a certificate is given."""
    handler = type("Handler", (_Handler,), {"served": server})
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    scheme, host = ("https", "localhost") if certificate else ("http", "127.0.0.1")
    server.base = f"{scheme}://{host}:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join(10)
        listener.server_close()
