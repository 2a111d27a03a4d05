"""An API server that asks for fewer requests is left alone for as long as it says, and nothing is lost."""

import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from support.kube import Kube
from support.operator_process import OperatorProcess, running
from support.throttling_proxy import ThrottlingProxy
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

RETRY_AFTER = 2
THROTTLED_SECONDS = 9.0


@pytest.fixture(scope="module")
def proxy(kube: Kube) -> Iterator[ThrottlingProxy]:
    proxy = ThrottlingProxy(kube.url, kube.ca_file)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], proxy: ThrottlingProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica behind the proxy."""
    folder = tmp_path_factory.mktemp("operator")
    with running([OperatorProcess(proxy.kubeconfig(account), folder, "throttled", settings)]) as processes:
        yield processes


def test_429_is_obeyed_and_the_work_goes_on_afterwards(world: World, proxy: ThrottlingProxy) -> None:
    proxy.retry_after = RETRY_AFTER
    trainings = [Training(world, f"life-{number}") for number in range(5)]
    world.until(lambda: len(proxy.refused) > 0, "a write was refused")
    time.sleep(THROTTLED_SECONDS)
    proxy.retry_after = None
    for training in trainings:
        world.kubelet.succeed(training.start())
        training.until_over()
        assert len(training.jobs()) == 1
        assert training.statuses_of_runs() == ["FINISHED"]
    jobs_path = f"/apis/batch/v1/namespaces/{world.namespace}/jobs"
    refused = proxy.refused.pop(jobs_path)
    most = len(trainings) * (THROTTLED_SECONDS / RETRY_AFTER + 1)
    print(f"\n{len(refused)} creations of Jobs were refused in {THROTTLED_SECONDS:.0f} s, of 5 TrainingJobs")
    assert len(refused) <= most
    for path, times in proxy.refused.items():
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(gap > RETRY_AFTER - 0.1 for gap in gaps), (path, gaps)
