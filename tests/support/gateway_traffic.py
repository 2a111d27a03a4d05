"""Requests through a Gateway, counted by who answered them."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from tools.demo.digits import load, request_for

TIMEOUT_SECONDS = 10.0


class Asking(Protocol):
    """Whoever gets answers."""

    def ask(self) -> str:
        """The version that answered; raises OSError, http.client.HTTPException or ValueError."""
        ...


class Client:
    """Asks for digits at one address, over a connection that is kept."""

    def __init__(self, address: str, path: str) -> None:
        self._path = path
        host = urlsplit(address)
        self._connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=TIMEOUT_SECONDS)

    def ask(self) -> str:
        """Who answered, the version; raises OSError, http.client.HTTPException or ValueError."""
        return str(self.post(request_for(load()[:1]))["model_version"])

    def post(self, body: Any) -> Any:
        """The answer to one request; raises as `ask` does."""
        self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status != http.client.OK:
            raise ValueError(f"HTTP {response.status}: {text[:200]!r}")
        return json.loads(text)

    def count(self, requests: int) -> Counter[str]:
        """The versions that answered this many requests; each of them has to be answered."""
        return Counter(self.ask() for _ in range(requests))


class FactorClient(Client):
    """Asks models that multiply, of which each has its own factor: an answer tells who gave it."""

    def ask(self) -> str:
        """The factor of the model that answered."""
        asked = random.uniform(1, 10)
        [[answered]] = self.post({"inputs": [[asked]]})["predictions"]
        return f"{answered / asked:g}"


class Steady:
    """A steady trickle of requests from a thread, for as long as the block lasts."""

    def __init__(self, client: Asking, pause_seconds: float = 0.02) -> None:
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
