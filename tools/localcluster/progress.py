"""What the person in front of the screen sees while things take their time."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# A step that takes longer says that it is still at it, so that nobody takes it for stuck.
REMINDER_SECONDS = 30


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
        """A step that is announced, reminds of itself, and is told again with its time once it is done."""
        started = time.monotonic()
        self.say(f"{text} ...")
        ended = threading.Event()
        reminder = threading.Thread(target=self._remind, args=(text, ended), daemon=True)
        reminder.start()
        try:
            yield
        finally:
            ended.set()
            reminder.join()
        self.say(f"{text}: done in {time.monotonic() - started:.1f} s")

    def _remind(self, text: str, ended: threading.Event) -> None:
        while not ended.wait(REMINDER_SECONDS):
            self.say(f"{text}: still at it")
