"""MLflow's webhooks, really delivered: what follows an alias hears of its moves at once, whichever replica is told."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest
import requests
from cryptography.fernet import Fernet

from api.mlflow_server import MlflowServer
from support.manifests import model_deployment
from support.operator_process import OperatorProcess, free_port, running
from support.tracking import Tracking
from support.webhooks import SECRET, alias_event, signed, subscribe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.world import World

pytestmark = pytest.mark.api

POLL_SECONDS = 60.0
MOVES = 10


@pytest.fixture(scope="module")
def hinting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """An MLflow that delivers webhooks into a private network, as docs/mlflow.md says."""
    server = MlflowServer(
        tmp_path_factory.mktemp("hinting"),
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS="true",
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES="http,https",
        MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY=Fernet.generate_key().decode(),
        MLFLOW_WEBHOOK_CACHE_TTL="1",
    )
    server.start()
    yield Tracking(server.uri)
    server.kill()


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], hinting: Tracking, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """Two replicas that read aliases rarely."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "secret").write_text(SECRET)
    own = {
        **settings,
        "TRACKING_URI": hinting.uri,
        "ALIAS_POLL_SECONDS": str(POLL_SECONDS),
        "WEBHOOK_SECRET_FILE": str(folder / "secret"),
        "POD_IP": "127.0.0.1",
    }
    processes = [
        OperatorProcess(account, folder, name, own | {"WEBHOOK_PORT": str(free_port())}) for name in ("red", "blue")
    ]
    with running(processes):
        yield processes


def url_of(process: OperatorProcess) -> str:
    return f"http://127.0.0.1:{process.settings['WEBHOOK_PORT']}/mlflow"


def leader_and_other(world: World) -> tuple[OperatorProcess, OperatorProcess]:
    world.until(lambda: sum(process.leads() for process in world.operators) == 1, "one leads", 40)
    leader, other = sorted(world.operators, key=lambda process: not process.leads())
    return leader, other


def desired(world: World) -> str | None:
    found = world.get("ModelDeployment", "digits") or {}
    version: str | None = (found.get("status") or {}).get("desiredVersion")
    return version


@pytest.mark.parametrize("told", ["the leader", "the other"])
def test_a_move_is_seen_within_a_second(
    world: World, hinting: Tracking, told: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    name = f"{world.namespace}.digits"
    versions = [hinting.make_version(name) for _ in range(2)]
    hinting.point(name, "champion", versions[0])
    leader, other = leader_and_other(world)
    unsubscribe = subscribe(hinting.uri, url_of(leader if told == "the leader" else other))
    world.apply(model_deployment(model={"name": name, "alias": "champion"}, paused=True))
    world.until(lambda: desired(world) == versions[0], "the first version is seen")
    time.sleep(1.5)  # MLflow keeps the list of webhooks for so long

    seconds = []
    for move in range(MOVES):
        version = versions[(move + 1) % 2]
        hinting.point(name, "champion", version)
        started = time.monotonic()
        world.until(lambda version=version: desired(world) == version, f"version {version} is seen", 10)
        seconds.append(time.monotonic() - started)
    unsubscribe()
    record_testsuite_property(f"seconds_from_move_to_seen, told: {told}", f"{statistics.median(seconds):.2f}")
    assert statistics.median(seconds) <= 1.0
    assert max(seconds) < POLL_SECONDS / 10
    result = "accepted" if told == "the leader" else "forwarded"
    process = leader if told == "the leader" else other
    assert process.metric(f'modelyard_webhook_deliveries_total{{result="{result}"}}') >= MOVES


def test_a_stranger_is_refused_and_nothing_is_read_for_it(world: World) -> None:
    leader, _ = leader_and_other(world)
    headers, body = signed(alias_event(), secret="guessed")
    assert requests.post(url_of(leader), data=body, headers=headers, timeout=10).status_code == 401
    assert leader.metric('modelyard_webhook_deliveries_total{result="unsigned"}') == 1
