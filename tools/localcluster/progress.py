"""What the person in front of the screen sees while things take their time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Steps:
    """Prints each step with the time it took, to standard error so that standard output stays usable by programs."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """One line of its own, with the seconds since the first step."""
        elapsed = time.monotonic() - self._started
        print(f"[{self._title} {elapsed:6.1f}s] {text}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step that is announced, and told again with its time once it is done."""
        started = time.monotonic()
        self.say(f"{text} ...")
        yield
        self.say(f"{text}: done in {time.monotonic() - started:.1f} s")
