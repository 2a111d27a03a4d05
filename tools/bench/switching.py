"""Versions switched while requests keep coming: by a moved alias, and by a bare Deployment's patch beside it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from tools.bench.audit import AuditLog, Write
from tools.bench.bare import BareDeployment
from tools.bench.bench import DEPLOYMENT, SWITCH_LIMIT_SECONDS, VERSION_LABEL, Bench
from tools.bench.figures import Switch, Switches
from tools.bench.pods import Count, LoadPod
from tools.demo.install import NAMESPACE
from tools.demo.screen import DemoError
from tools.localcluster.paths import current_state

LOAD_SECONDS = 10000


@dataclass
class Switching:
    """The two of them under one load, and which version each has."""

    bench: Bench
    bare: BareDeployment
    load: LoadPod
    now_served: str
    now_bare: str
    switches: Switches = field(default_factory=Switches)

    @classmethod
    def begin(cls, bench: Bench, bare: BareDeployment, rate: float) -> Self:
        """Starts the load, on what both have come to serve last; raises KubectlError."""
        newest = list(bare.templates)[-1]
        load = bench.load("load-steady")
        load.start("steady", [str(1 / rate), str(LOAD_SECONDS)], {"served": bench.url(), "bare": bare.url})
        return cls(bench, bare, load, newest, newest)

    def run(self, count: int) -> None:
        """Moves the alias back and forth so many times; raises DemoError, KubectlError."""
        for number in range(1, count + 1):
            self.switches.followed.append(self._both())
            if number % 10 == 0:
                self.bench.screen.say(f"{number} switches, {self.told()}")

    def run_hinted(self, count: int) -> None:
        """The same with an MLflow that tells of it; raises DemoError, KubectlError."""
        self.switches.hinted.extend(self._both() for _ in range(count))

    def end(self) -> dict[str, Count]:
        """Ends the load once both are settled; its last counts by target. Raises DemoError, KubectlError."""
        for target, version in (("served", self.now_served), ("bare", self.now_bare)):
            self.load.settle(target, version, SWITCH_LIMIT_SECONDS)
        self.bench.screen.say(f"In all {self.told()}")
        counts = self.load.counts()
        self.load.stop()
        return counts

    def told(self) -> str:
        """The counts in words; raises DemoError where the load pod has told none."""
        counts = self.load.counts()
        if not counts:
            raise DemoError("the load pod has not told what it counted")
        return "; ".join(f"{name}: {in_words(count)}" for name, count in counts.items())

    def _both(self) -> Switch:
        """Switches the ModelDeployment and then the bare Deployment, so that both meet the same machine.

        The one begins while the other's old pod only waits for its end, which takes no time of the processors'.
        """
        switch = self._follow()
        self.switches.bare.append(self._patch())
        return switch

    def _follow(self) -> Switch:
        """Moves the alias to the other version, and waits for its first answer."""
        self.load.settle("served", self.now_served, SWITCH_LIMIT_SECONDS)
        self.now_served = other(self.bare.templates, self.now_served)
        log = AuditLog(current_state().audit_log)
        mark = log.mark()
        at = self.bench.move_alias(self.now_served)
        answered = self.load.first_answer("served", self.now_served, at, SWITCH_LIMIT_SECONDS)
        self.bench.await_served(self.now_served)
        writes = log.writes(mark, "seldondeployments", NAMESPACE, DEPLOYMENT)
        return Switch(first_told(writes, self.now_served) - at, answered - at)

    def _patch(self) -> float:
        """Seconds from the bare Deployment's patch to the first answer of the other version."""
        self.load.settle("bare", self.now_bare, SWITCH_LIMIT_SECONDS)
        self.now_bare = other(self.bare.templates, self.now_bare)
        at = self.bare.switch(self.now_bare)
        seconds = self.load.first_answer("bare", self.now_bare, at, SWITCH_LIMIT_SECONDS) - at
        self.bare.await_rollout()
        return seconds


def first_told(writes: Sequence[Write], version: str) -> float:
    """When a server's object was first written as one of this version; infinite where it never was."""
    told = (write.at for write in writes if write.written["metadata"].get("labels", {}).get(VERSION_LABEL) == version)
    return min(told, default=math.inf)


def other(versions: Iterable[str], version: str) -> str:
    """The other one of two."""
    [found] = [candidate for candidate in versions if candidate != version]
    return found


def in_words(count: Count) -> str:
    """How many were answered and failed, with the first failures' words, and how long one took at most."""
    said = f"{sum(count.answers.values())} answers, slowest {count.slowest_seconds:.2f} s, {count.failures} failed"
    return f"{said} ({'; '.join(count.errors)})" if count.failures else said
