"""One JSON object per log line, with the object it is about."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from modelyard.core.plan import Key

_about: ContextVar[dict[str, str | int]] = ContextVar("about")

_SECRETS = re.compile(r"((?:bearer|basic)\s+)[\w.~+/=-]{16,}|(://[^/\s:@]*:)[^/\s@]+(?=@)", re.IGNORECASE)
"""Credentials as they turn up in errors of HTTP clients: in a header's value, or in a URL."""


@contextmanager
def in_reconcile(key: Key, generation: int | None) -> Iterator[None]:
    """Everything logged inside, also by tasks started inside, names this object."""
    about: dict[str, str | int] = {"kind": key.kind, "namespace": key.namespace, "name": key.name}
    token = _about.set(about | ({"generation": generation} if generation is not None else {}))
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, the object's key and generation, and an error's traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        line |= _about.get({})
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def without_secrets(text: str) -> str:
    """The text with credentials blackened."""
    return _SECRETS.sub(lambda found: (found[1] or found[2]) + "***", text)


def set_up_logging(level: str) -> None:
    """Log to standard error from here on.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Each event of each object would be a line or two.
    for name in ("kopf.objects", "kopf.activities", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("kopf", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level.upper()), logging.WARNING))
    # It says that signals are ignored, which is what its thread is for.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
