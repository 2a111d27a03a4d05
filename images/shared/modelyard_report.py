"""What a fetcher tells: lines in its log, and one line in the container's termination message."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

MESSAGE_BYTES = 1024
_MOST_BYTES_OF_ITEMS = 3072
"""Kubernetes keeps 4096 bytes of a termination message, and half a line could not be read."""


def say(text: str) -> None:
    """One line for the log, without what a terminal would act on."""
    print("modelyard: " + printable(text), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text on one line, without control characters and half characters."""
    spaced = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in spaced)


def cut(text: str) -> str:
    """At most a kibibyte of it."""
    return printable(text).encode()[:MESSAGE_BYTES].decode("utf-8", "ignore")


def that_fit(items: Mapping[str, str]) -> dict[str, str]:
    """As many of the items, in order, as a termination message has room for."""
    kept: dict[str, str] = {}
    for name, value in items.items():
        if len(_line({**kept, name: value}).encode()) <= _MOST_BYTES_OF_ITEMS:
            kept[name] = value
        else:
            say(f"the value of {name} is too long to be told")
    return kept


def report(result: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Writes the line that ends up in the pod's status, where MODELYARD_TERMINATION_LOG or Kubernetes wants it."""
    line = _line(result)
    print(line, flush=True)
    path = Path(environment.get("MODELYARD_TERMINATION_LOG") or "/dev/termination-log")
    try:
        path.write_text(line + "\n", "utf-8")
    except OSError as error:
        say(f"the termination message cannot be written: {error}")


def _line(result: Mapping[str, object]) -> str:
    return json.dumps(result, ensure_ascii=False)
