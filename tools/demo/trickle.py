"""Runs in a pod: sends a steady trickle of requests to a model and counts the answers by the version that gave them.

Two clients take turns, one with a new connection for each request, one that keeps its connection: they meet a switch of
versions differently. Every answer that is not a prediction counts as a failure. Standard library only; started as
`python3 trickle.py URL REQUEST_FILE SECONDS`, it prints one JSON object a second.
"""

import http.client
import json
import select
import signal
import sys
import time
import urllib.parse
from collections import Counter
from pathlib import Path

PERIOD_SECONDS = 0.1
TIMEOUT_SECONDS = 5.0
ERRORS_KEPT = 3


class Client:
    """Sends the same request again and again."""

    def __init__(self, url: str, body: bytes) -> None:
        parts = urllib.parse.urlsplit(url)
        self._path = parts.path
        self._body = body
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)

    def ask(self) -> str:
        """The version that answered; raises OSError, http.client.HTTPException, ValueError or KeyError."""
        if self._is_closed_by_peer():
            self._connection.close()
        self._connection.request("POST", self._path, self._body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status != http.client.OK:
            raise ValueError(f"HTTP {response.status}: {text[:200]!r}")
        answer = json.loads(text)
        if not answer["outputs"][0]["data"]:
            raise ValueError(f"no prediction: {text[:200]!r}")
        return str(answer["model_version"])

    def hang_up(self) -> None:
        """Closes the connection; the next request opens a new one."""
        self._connection.close()

    def _is_closed_by_peer(self) -> bool:
        """Whether the kept connection has been ended: every HTTP client looks before it uses one again."""
        sock = self._connection.sock
        return sock is not None and bool(select.select([sock], [], [], 0)[0])


class Tally:
    """The counts so far."""

    def __init__(self, now: float) -> None:
        self.answers: Counter[str] = Counter()
        self.failures = 0
        self.errors: list[str] = []
        self._started = self._alone_since = now
        self._newest: str | None = None

    def answered(self, version: str, now: float) -> None:
        """Counts an answer."""
        self.answers[version] += 1
        if version != self._newest:
            self._newest, self._alone_since = version, now

    def failed(self, error: Exception, now: float) -> None:
        """Counts a failure; the first few are kept in words."""
        self.failures += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(f"after {now - self._started:.1f} s: {type(error).__name__}: {error}")

    def report(self, now: float) -> str:
        """The counts as one line of JSON; `alone_seconds` is how long the newest version has been the only one."""
        counts = {
            "answers": dict(sorted(self.answers.items())),
            "failures": self.failures,
            "errors": self.errors,
            "newest": self._newest,
            "alone_seconds": round(now - self._alone_since, 1),
        }
        return json.dumps(counts)


def run(url: str, body: bytes, seconds: float) -> None:
    """Sends and reports until the time is over."""
    passing, keeping = Client(url, body), Client(url, body)
    started = time.monotonic()
    tally = Tally(started)
    turn = 0
    while (now := time.monotonic()) < started + seconds:
        client = keeping if turn % 2 else passing
        try:
            tally.answered(client.ask(), time.monotonic())
        except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError) as error:
            tally.failed(error, time.monotonic())
            client.hang_up()
        passing.hang_up()
        turn += 1
        if turn % int(1 / PERIOD_SECONDS) == 0:
            print(tally.report(time.monotonic()), flush=True)
        time.sleep(max(0.0, PERIOD_SECONDS - (time.monotonic() - now)))


def main() -> int:
    """Runs until the time is over or the pod is deleted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url, request_file, seconds = sys.argv[1:]
    run(url, Path(request_file).read_bytes(), float(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
