"""Requests through a Gateway, counted by the version that answered them."""

import http.client
import json
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tools.demo.digits import load, request_for

TIMEOUT_SECONDS = 10.0


class Client:
    """Asks at one address, over a connection that is kept."""

    def __init__(self, address: str, path: str) -> None:
        self._path = path
        self._body = json.dumps(request_for(load()[:1]))
        host = urlsplit(address)
        self._connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=TIMEOUT_SECONDS)

    def ask(self) -> str:
        """The version that answered; raises OSError, http.client.HTTPException or ValueError."""
        self._connection.request("POST", self._path, self._body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status != http.client.OK:
            raise ValueError(f"HTTP {response.status}: {text[:200]!r}")
        return str(json.loads(text)["model_version"])

    def count(self, requests: int) -> Counter[str]:
        """The versions that answered this many requests; each of them has to be answered."""
        return Counter(self.ask() for _ in range(requests))


class Steady:
    """A steady trickle of requests from a thread, for as long as the block lasts."""

    def __init__(self, client: Client, pause_seconds: float = 0.02) -> None:
        self._client = client
        self._pause = pause_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join(TIMEOUT_SECONDS + 5)

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                self.answers[self._client.ask()] += 1
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            time.sleep(self._pause)
