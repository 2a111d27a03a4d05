"""What the program tells: lines in its log, and one line in the container's termination message."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

MESSAGE_BYTES = 1024


def say(text: str) -> None:
    """One line for the log, without what a terminal would act on."""
    print("modelyard-source: " + printable(text), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text on one line, without control characters and half characters."""
    spaced = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in spaced)


def cut(text: str) -> str:
    """At most a kibibyte of it."""
    return printable(text).encode()[:MESSAGE_BYTES].decode("utf-8", "ignore")


def report(result: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Writes the line that ends up in the pod's status, where MODELYARD_TERMINATION_LOG or Kubernetes wants it."""
    line = json.dumps(result, ensure_ascii=False)
    print(line, flush=True)
    path = Path(environment.get("MODELYARD_TERMINATION_LOG") or "/dev/termination-log")
    try:
        path.write_text(line + "\n", "utf-8")
    except OSError as error:
        say(f"the termination message cannot be written: {error}")
