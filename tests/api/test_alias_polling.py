"""However many objects follow an alias, MLflow is asked once in an interval, and all of them hear of a move."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.manifests import model_deployment
from support.mlflow_proxy import Fault, MlflowProxy
from support.operator_process import OperatorProcess, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from api.mlflow_server import MlflowServer
    from support.world import World

pytestmark = pytest.mark.api

OBJECTS = 200
INTERVAL = 3.0
SLACK_SECONDS = 5.0
"""What 200 reconciles with a status write each may take on a busy machine."""


@pytest.fixture(scope="module")
def proxy(mlflow_server: MlflowServer) -> Iterator[MlflowProxy]:
    proxy = MlflowProxy(mlflow_server.uri)
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], proxy: MlflowProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica, whose requests to MLflow are counted."""
    own = {**settings, "TRACKING_URI": proxy.uri, "ALIAS_POLL_SECONDS": str(INTERVAL)}
    process = OperatorProcess(account, tmp_path_factory.mktemp("operator"), "polling", own)
    with running([process]) as processes:
        yield processes


def saying(world: World, version: str) -> int:
    """How many objects have seen the alias point at this version."""
    found = world.items("ModelDeployment")
    return sum((item.get("status") or {}).get("desiredVersion") == version for item in found)


def asked(proxy: MlflowProxy, name: str) -> int:
    return sum("registered-models/alias" in line and name in line for line in proxy.seen)


def test_200_objects_on_one_alias_are_one_request_per_interval(
    world: World, proxy: MlflowProxy, record_testsuite_property: Callable[[str, object], None]
) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    for number in range(OBJECTS):
        # Paused before anything was served: it follows the alias, and no pods come of it.
        world.apply(model_deployment(f"digits-{number}", model={"name": name, "alias": "champion"}, paused=True))
    world.until(lambda: saying(world, "1") == OBJECTS, "all have seen version 1", 60)

    before, started = asked(proxy, name), time.monotonic()
    time.sleep(4 * INTERVAL)  # what is counted is what happens in this time
    intervals = (time.monotonic() - started) / INTERVAL
    requests = asked(proxy, name) - before
    record_testsuite_property("requests_per_interval", f"{requests / intervals:.2f}")
    assert 2 <= requests <= intervals / 0.9 + 1

    world.tracking.point(name, "champion", world.tracking.make_version(name))
    started = time.monotonic()
    world.until(lambda: saying(world, "2") == OBJECTS, "all have seen version 2", INTERVAL + SLACK_SECONDS)
    record_testsuite_property("all_saw_it_after_seconds", f"{time.monotonic() - started:.1f}")


def test_while_mlflow_refuses_it_is_asked_no_more_often_by_many_than_by_one(world: World, proxy: MlflowProxy) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    proxy.fault = Fault("GET", "registered-models/alias", answer=(429, "slow down"))
    for number in range(20):
        world.apply(model_deployment(f"digits-{number}", model={"name": name, "alias": "champion"}, paused=True))
    time.sleep(3 * INTERVAL)
    # At 0, 1, 3 and 7 seconds, each a little earlier.
    assert 2 <= asked(proxy, name) <= 6
    proxy.fault = None
    world.until(lambda: saying(world, "1") == 20, "all have seen version 1", 2 * INTERVAL + SLACK_SECONDS)
