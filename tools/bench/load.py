"""Runs in a pod and asks models: steadily while versions are switched, or in turns to compare how fast they answer.

Standard library only, and the client of tools/demo/trickle.py.

`python3 load.py steady REQUEST_FILE PERIOD_SECONDS SECONDS NAME=URL …` prints a line of JSON for every change of the
answering version and one a second with all counts; half of the requests go over new connections, half over a kept one.
`python3 load.py compare REQUEST_FILE ROUNDS NAME=URL …` asks all in turn and prints their times.
"""

import http.client
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.demo.trickle import Client

ERRORS_KEPT = 5
LINGER_SECONDS = 120
"""How long a comparison that is over can still be read from the pod's log."""
FAILURES = (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError)
_print_lock = threading.Lock()


class Target:
    """One model under steady requests, and what came back."""

    def __init__(self, name: str, url: str, body: bytes) -> None:
        self.name = name
        self.answers: Counter[str] = Counter()
        self.failures = 0
        self.errors: list[str] = []
        self.slowest_seconds = 0.0
        self._newest: str | None = None
        self._alone_since = time.monotonic()
        self._clients = Client(url, body), Client(url, body)

    def step(self, turn: int) -> None:
        """One request: over a new connection in even turns, over the kept one in odd turns."""
        client = self._clients[turn % 2]
        began = time.monotonic()
        try:
            version = client.ask()
        except FAILURES as error:
            self.failures += 1
            self.errors = [*self.errors, f"{time.time():.3f}: {type(error).__name__}: {error}"][:ERRORS_KEPT]
            client.hang_up()
        else:
            self._count(version)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        self._clients[0].hang_up()

    def _count(self, version: str) -> None:
        self.answers[version] += 1
        if version != self._newest:
            self._newest, self._alone_since = version, time.monotonic()
            tell({"event": "version", "target": self.name, "version": version, "at": time.time()})

    def counts(self) -> dict[str, object]:
        """Everything so far and when; `alone_seconds` is how long the newest version has been the only one."""
        alone = round(time.monotonic() - self._alone_since, 1)
        counted = {"answers": dict(self.answers), "failures": self.failures, "errors": self.errors}
        counted |= {"slowest_seconds": round(self.slowest_seconds, 3)}
        said = {"event": "counts", "target": self.name, "at": time.time()}
        return {**said, "newest": self._newest, "alone_seconds": alone, **counted}

    def run(self, period_seconds: float, until: float) -> None:
        """Requests at a steady pace until this time of the monotonic clock."""
        turn = 0
        while (now := time.monotonic()) < until:
            self.step(turn)
            turn += 1
            time.sleep(max(0.0, period_seconds - (time.monotonic() - now)))


def tell(what: Mapping[str, object]) -> None:
    """Prints one line of JSON, whole even when several threads print."""
    with _print_lock:
        print(json.dumps(what), flush=True)


def steady(targets: Sequence[Target], period_seconds: float, seconds: float) -> None:
    """Asks all targets at once until the time is over, and tells the counts every second."""
    until = time.monotonic() + seconds
    for target in targets:
        threading.Thread(target=target.run, args=(period_seconds, until), daemon=True).start()
    while time.monotonic() < until:
        time.sleep(1.0)
        for target in targets:
            tell(target.counts())


def compare(urls: Mapping[str, str], body: bytes, rounds: int) -> None:
    """Asks each in turn over a kept connection, so that all meet the same machine; tells all times in seconds."""
    clients = {name: Client(url, body) for name, url in urls.items()}
    times: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(rounds):
        for name, client in clients.items():
            began = time.perf_counter()
            client.ask()
            times[name].append(time.perf_counter() - began)
    tell({"event": "times", "times": times})


def main(arguments: Sequence[str]) -> int:
    """Runs until the time is over or the pod is deleted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    command, request_file, *rest = arguments
    body = Path(request_file).read_bytes()
    if command == "compare":
        rounds, *named = rest
        compare(dict(item.split("=", 1) for item in named), body, int(rounds))
        time.sleep(LINGER_SECONDS)
    else:
        period, seconds, *named = rest
        targets = [Target(name, url, body) for name, url in (item.split("=", 1) for item in named)]
        steady(targets, float(period), float(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
