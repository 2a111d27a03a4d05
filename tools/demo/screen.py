"""What the person in front of the screen reads: numbered steps with their times, and where to look when one fails."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tools.localcluster.errors import ClusterError
from tools.seldon_standin.install import KubectlError

_INDENT = "    "


class DemoError(Exception):
    """Something did not go as shown in the README; the text says what."""


class StepFailed(Exception):
    """A step failed: its title, why, and the commands or files that tell more."""

    def __init__(self, title: str, why: str, look_at: Iterable[str]) -> None:
        super().__init__(f"{title}: {why}")
        self.title = title
        self.why = why
        self.look_at = tuple(look_at)


class Screen:
    """Prints line by line; `write` and `clock` (seconds) are for tests."""

    def __init__(self, write: Callable[[str], object] | None = None, clock: Callable[[], float] | None = None) -> None:
        self._write = write or _print
        self._clock = clock or time.monotonic
        self._started = self._clock()
        self._count = 0

    def say(self, *lines: str) -> None:
        """Lines that belong to the step under way."""
        for line in lines:
            self._write(f"{_INDENT}{line}".rstrip())

    @contextmanager
    def step(self, title: str, *look_at: str) -> Iterator[None]:
        """A step of the demo, told with its time; raises StepFailed for what goes wrong in it."""
        self._count += 1
        began = self._clock()
        self._write("")
        self._write(f"{self._count}. {title}")
        try:
            yield
        except (DemoError, KubectlError, ClusterError, OSError) as error:
            self.say(f"failed after {self._clock() - began:.1f} s")
            raise StepFailed(title, str(error), look_at) from error
        self.say(f"({self._clock() - began:.1f} s)")

    def elapsed_seconds(self) -> float:
        """Since the demo began."""
        return self._clock() - self._started


def _print(line: str) -> None:
    print(line, flush=True)
