"""One at a time, between processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.localcluster.progress import Steps


@contextmanager
def exclusive(lock: Path, steps: Steps, busy: str) -> Iterator[None]:
    """Holds a lock file; says `busy` where another process holds it. The kernel frees it when its holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            steps.say(busy)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
