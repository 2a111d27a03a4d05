"""The operator is killed again and again in the middle of things: nothing is lost, nothing is done twice."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.kube import Manifest, Refused
from support.operator_process import OperatorProcess, running
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

LIVES = 5
KILLS = 4
PATIENCE_SECONDS = 120.0
QUICKLY = {"limit": 1, "backoff": {"initialSeconds": 1, "maxSeconds": 1}}
DUPLICATE = "Duplicate"


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica whose Lease ends soon after it was killed: the waiting would tell nothing."""
    process = OperatorProcess(
        account, tmp_path_factory.mktemp("operator"), "mortal", {**settings, "LEASE_SECONDS": "3"}
    )
    with running([process]) as processes:
        yield processes


class Node:
    """Lets pods run and end, one step each time it is asked; every other life fails its first attempt."""

    def __init__(self, world: World, trainings: list[Training], chance: random.Random) -> None:
        self._world = world
        self._trainings = trainings
        self._chance = chance
        self._logged: set[str] = set()

    def step(self) -> None:
        for number, training in enumerate(self._trainings):
            for pod in self._world.items("Pod", f"modelyard.io/owner-uid={training.uid}"):
                if self._chance.random() < 0.5:
                    continue
                try:
                    self._advance(pod, fails=number % 2 == 0 and pod_attempt(pod) == 1)
                except Refused as refusal:
                    if refusal.status != 404:
                        raise

    def _advance(self, pod: Manifest, *, fails: bool) -> None:
        phase = pod["status"].get("phase")
        if phase == "Pending":
            self._world.kubelet.run(pod)
        elif phase == "Running" and fails:
            self._world.kubelet.fail(pod)
        elif phase == "Running":
            run_id = pod["metadata"]["annotations"]["modelyard.io/run-id"]
            if run_id not in self._logged:
                self._world.tracking.log_model(run_id)
                self._logged.add(run_id)
            self._world.kubelet.succeed(pod)


def pod_attempt(pod: Manifest) -> int:
    return int(pod["metadata"]["labels"]["modelyard.io/attempt"])


def is_over(training: Training) -> bool:
    return any(training.condition(kind).get("status") == "True" for kind in ("Complete", "Failed"))


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_each_attempt_has_one_job_and_one_run(world: World, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"life-{number}" for number in range(LIVES)]
    models = {name: f"{world.namespace}.{name}" for name in names}
    trainings = [
        Training(world, name, retry=QUICKLY, model={"name": models[name], "aliases": ["champion"]}) for name in names
    ]
    node = Node(world, trainings, chance)
    deadline = time.monotonic() + PATIENCE_SECONDS
    for _ in range(KILLS):
        if not world.operator.is_alive():
            world.operator.start()
        world.until(world.operator.leads, "it leads again", 40)
        killed_at = time.monotonic() + chance.uniform(0.0, 2.5)
        while time.monotonic() < killed_at:
            node.step()
            time.sleep(0.05)
        world.operator.kill()
    world.operator.start()
    while not all(is_over(training) for training in trainings):
        assert time.monotonic() < deadline, world.explain()
        node.step()
        time.sleep(0.2)
    for number, training in enumerate(trainings):
        attempts = [1, 2] if number % 2 == 0 else [1]
        assert_done_once(training, attempts)
        (version,) = world.tracking.versions_of(models[training.name])
        assert training.status["modelVersion"]["version"] == version.version
        assert world.tracking.client.get_model_version_by_alias(models[training.name], "champion").version == "1"


def assert_done_once(training: Training, attempts: list[int]) -> None:
    """One Job and one run per attempt, all of them ended; the last one well."""
    assert training.condition("Complete")["status"] == "True", training.status
    made = Counter(int(job["metadata"]["labels"]["modelyard.io/attempt"]) for job in training.jobs())
    assert made == Counter(attempts)
    runs = training.world.tracking.runs_of(training.uid)
    # MLflow has no unique key: of a create whose answer was lost the second run is marked and ended.
    own = [run for run in runs if run.data.tags.get("modelyard.io/reason") != DUPLICATE]
    assert [int(run.data.tags["modelyard.io/attempt"]) for run in own] == attempts
    assert [run.info.status for run in own] == [*["FAILED"] * (len(attempts) - 1), "FINISHED"]
    assert "RUNNING" not in [run.info.status for run in runs]
