"""Reads the demo's objects with kubectl, and shows how they change."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.demo.screen import DemoError, Screen
from tools.seldon_standin.install import Kubectl

LOOK_SECONDS = 1.0
KINDS = "trainingjobs,promotions,modeldeployments"
"""What the demo shows with kubectl."""
# Ages change by themselves; nobody wants a table for that.
_AGE = re.compile(r"\s+(\d+[smhd])+(?=\s|$)")

Manifest = dict[str, Any]


def condition(manifest: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """One condition of an object, empty while it is not stated."""
    stated = (manifest.get("status") or {}).get("conditions") or []
    return next((item for item in stated if item.get("type") == kind), {})


def is_true(manifest: Mapping[str, Any], kind: str) -> bool:
    """Whether a condition is stated to be true."""
    return condition(manifest, kind).get("status") == "True"


def refuse_failure(manifest: Mapping[str, Any]) -> None:
    """Raises DemoError with the object's own words where it says that it will not get on by itself."""
    for kind in ("Failed", "Stalled"):
        if is_true(manifest, kind):
            found, name = condition(manifest, kind), manifest["metadata"]["name"]
            raise DemoError(f"{manifest['kind']} {name}: {found.get('reason')}: {found.get('message')}")


def without_ages(table: str) -> str:
    """The table without what changes by the mere passing of time."""
    return _AGE.sub("", table)


@dataclass
class Watch:
    """The demo's namespace: its objects as JSON, and its tables, each shown once."""

    kubectl: Kubectl
    namespace: str
    screen: Screen
    _shown: str = field(default="", init=False)

    def read(self, kind: str, name: str) -> Manifest:
        """One object; raises KubectlError."""
        manifest: Manifest = json.loads(self._get(f"{kind}/{name}", "--output", "json"))
        return manifest

    def show_changes(self) -> None:
        """Prints what kubectl prints of all kinds, if that is something new; raises KubectlError."""
        table = self._get(KINDS)
        if without_ages(table) != self._shown:
            self._shown = without_ages(table)
            self.screen.say(f"$ kubectl get {KINDS}", *table.rstrip().splitlines(), "")

    def until(self, what: str, is_done: Callable[[], bool], limit_seconds: float) -> None:
        """Shows changes until it is done; raises DemoError after the limit, KubectlError."""
        for _ in ticks(what, limit_seconds):
            is_over = is_done()
            self.show_changes()
            if is_over:
                return

    def _get(self, what: str, *options: str) -> str:
        return self.kubectl.run("get", what, "--namespace", self.namespace, *options)


def ticks(what: str, limit_seconds: float) -> Iterator[float]:
    """The seconds since the first look, about one a second; raises DemoError after the limit."""
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < limit_seconds:
        yield elapsed
        time.sleep(LOOK_SECONDS)
    raise DemoError(f"{what} did not come about within {limit_seconds:.0f} s")
