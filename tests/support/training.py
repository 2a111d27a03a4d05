"""One TrainingJob and everything that belongs to it."""

from typing import Any

from support.kube import Manifest
from support.manifests import training_job
from support.world import World, condition

INDEX = "batch.kubernetes.io/job-completion-index"


class Training:
    """Applied when made; its pods do what the test lets them do."""

    def __init__(self, world: World, name: str = "digits", **spec: object) -> None:
        self.world = world
        self.name = name
        self.uid = str(world.apply(training_job(name, **spec))["metadata"]["uid"])

    @property
    def live(self) -> Manifest:
        """The object as it is now; an AssertionError when it is gone."""
        found = self.world.get("TrainingJob", self.name)
        assert found is not None, f"TrainingJob {self.name} is gone"
        return found

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty before there is one."""
        return self.live.get("status") or {}

    @property
    def state(self) -> str | None:
        """The STATE column."""
        return self.condition("Complete").get("reason")

    def condition(self, kind: str) -> dict[str, Any]:
        """One condition, empty while it is not stated."""
        return condition(self.live, kind)

    def attempt(self, number: int) -> dict[str, Any]:
        """What status says of one attempt; empty while it says nothing."""
        return next((item for item in self.status.get("attempts", []) if item["number"] == number), {})

    def jobs(self) -> list[Manifest]:
        """Its Jobs."""
        return self.world.items("Job", f"modelyard.io/owner-uid={self.uid}")

    def pods(self, attempt: int) -> list[Manifest]:
        """The pods of one attempt."""
        return self.world.items("Pod", f"modelyard.io/owner-uid={self.uid},modelyard.io/attempt={attempt}")

    def pod(self, attempt: int = 1, seconds: float = 30.0) -> Manifest:
        """The attempt's pod, waited for."""
        return self.world.until(lambda: self.pods(attempt), f"a pod of attempt {attempt}", seconds)[0]

    def run_id(self, attempt: int = 1) -> str:
        """The attempt's run, as its pod is told."""
        return str(self.pod(attempt)["metadata"]["annotations"]["modelyard.io/run-id"])

    def start(self, attempt: int = 1) -> Manifest:
        """Its pod runs, and the operator has said so."""
        pod = self.pod(attempt)
        self.world.kubelet.run(pod)
        self.until_state("Running")
        return pod

    def nodes(self, count: int, attempt: int = 1) -> list[Manifest]:
        """The pods of an attempt that has several, in order, waited for."""
        self.world.until(lambda: len(self.pods(attempt)) == count, f"{count} pods of attempt {attempt}")
        return sorted(self.pods(attempt), key=lambda pod: int(pod["metadata"]["annotations"][INDEX]))

    def start_nodes(self, count: int, attempt: int = 1) -> list[Manifest]:
        """All its pods run, and the operator has said so."""
        pods = self.nodes(count, attempt)
        for pod in pods:
            self.world.kubelet.run(pod)
        self.until_state("Running")
        return pods

    def until_state(self, state: str, seconds: float = 30.0) -> None:
        """Wait until the STATE column says so."""
        self.world.until(lambda: self.state == state, f"{self.name} is {state}", seconds)

    def until_invalid(self, seconds: float = 10.0) -> str:
        """Wait until its spec is said to be one that cannot work; what is wrong with it."""
        self.until_state("InvalidSpec", seconds)
        assert self.condition("Stalled")["reason"] == self.status["problem"] == "InvalidSpec"
        return str(self.condition("Stalled")["message"])

    def until_over(self, seconds: float = 30.0) -> None:
        """Wait for the end, good or bad."""
        ends = ("Complete", "Failed")
        self.world.until(
            lambda: any(self.condition(kind).get("status") == "True" for kind in ends), f"{self.name} is over", seconds
        )

    def statuses_of_runs(self) -> list[str]:
        """How its runs stand in MLflow, oldest attempt first."""
        return [run.info.status for run in self.world.tracking.runs_of(self.uid)]
