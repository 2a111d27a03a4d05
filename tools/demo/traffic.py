"""The trickle of requests seen from outside: the pod that sends it, and what its counts say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demo.script_pod import ScriptPod
from tools.seldon_standin.install import Kubectl

NAME = "trickle"
LIMIT_SECONDS = 900
_SCRIPT = Path(__file__).with_name("trickle.py")


@dataclass(frozen=True)
class Counts:
    """What the pod has counted so far."""

    answers: Mapping[str, int]
    """Answers by the model version that gave them."""
    failures: int
    errors: tuple[str, ...]
    """The first failures in words."""
    newest: str | None
    """The version that answered last."""
    alone_seconds: float
    """How long only that version has answered."""

    def has_settled_on(self, version: str, seconds: float) -> bool:
        """Whether this version alone has answered for so long."""
        return self.newest == version and self.alone_seconds >= seconds

    def __str__(self) -> str:
        """One line for the screen."""
        told = [f"version {version}: {count} answers" for version, count in self.answers.items()]
        return ", ".join([*told, f"{self.failures} failed"])


def parse_counts(line: str) -> Counts | None:
    """The counts in a line of the pod's log; None where it is none."""
    try:
        data = json.loads(line)
        return Counts(
            data["answers"], data["failures"], tuple(data["errors"]), data["newest"], float(data["alone_seconds"])
        )
    except (ValueError, KeyError, TypeError):
        return None


class Trickle:
    """The running pod."""

    def __init__(self, kubectl: Kubectl, namespace: str, image: str, request: Mapping[str, Any]) -> None:
        self._pod = ScriptPod(kubectl, namespace, NAME, image, (_SCRIPT,), request, LIMIT_SECONDS)

    def start(self, url: str) -> None:
        """Starts the pod and waits until it runs; raises KubectlError."""
        self._pod.start(url, self._pod.request_file, str(LIMIT_SECONDS))

    def counts(self) -> Counts | None:
        """The newest counts, None before the first; raises KubectlError."""
        return parse_counts("".join(self._pod.log("--tail=1")).strip())

    def stop(self) -> None:
        """Ends the pod; raises KubectlError."""
        self._pod.stop()
