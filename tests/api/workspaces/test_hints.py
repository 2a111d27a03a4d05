"""Webhooks where there are workspaces: who follows an alias hears of its moves, and of no other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from support.manifests import model_deployment
from support.operator_process import OperatorProcess, free_port, running
from support.webhooks import SECRET, alias_event, signed, subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from api.mlflow_server import MlflowServer
    from support.world import World

pytestmark = pytest.mark.api

POLL_SECONDS = 120.0
MODEL = "digits"


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], workspace_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One that reads aliases rarely."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "secret").write_text(SECRET)
    own = {
        **settings,
        "TRACKING_URI": workspace_server.uri,
        "TRACKING_WORKSPACES": "PerNamespace",
        "TRACKING_TIMEOUT_SECONDS": "20",
        "ALIAS_POLL_SECONDS": str(POLL_SECONDS),
        "WEBHOOK_SECRET_FILE": str(folder / "secret"),
        "WEBHOOK_PORT": str(free_port()),
        "POD_IP": "127.0.0.1",
    }
    with running([OperatorProcess(account, folder, "hinted", own)]) as processes:
        yield processes


def desired(world: World) -> str | None:
    found = world.get("ModelDeployment", "digits") or {}
    version: str | None = (found.get("status") or {}).get("desiredVersion")
    return version


@pytest.fixture
def following(ours: World, theirs: World) -> None:
    """Both teams follow an alias of the same name, which points at the first of two versions."""
    for world in (ours, theirs):
        for _ in range(2):
            world.tracking.make_version(MODEL)
        world.tracking.point(MODEL, "champion", "1")
        world.apply(model_deployment(model={"name": MODEL, "alias": "champion"}, paused=True))
    for world in (ours, theirs):
        world.until(lambda world=world: desired(world) == "1", "the first version is seen")


def url_of(world: World) -> str:
    return f"http://127.0.0.1:{world.operator.settings['WEBHOOK_PORT']}/mlflow"


@pytest.mark.usefixtures("following")
def test_a_move_is_heard_of_by_a_webhook_of_its_workspace(ours: World, theirs: World) -> None:
    unsubscribe = subscribe(ours.tracking.uri, url_of(ours), ours.namespace)
    ours.tracking.point(MODEL, "champion", "2")
    ours.until(lambda: desired(ours) == "2", "the move is heard of", POLL_SECONDS / 4)
    assert desired(theirs) == "1"
    unsubscribe()


@pytest.mark.usefixtures("following")
def test_a_move_is_seen_where_it_was_whatever_workspace_the_delivery_names(ours: World, theirs: World) -> None:
    theirs.tracking.point(MODEL, "champion", "2")
    headers, body = signed(alias_event(MODEL, workspace=ours.namespace), identity=ours.namespace)
    assert requests.post(url_of(ours), data=body, headers=headers, timeout=10).status_code == 200
    theirs.until(lambda: desired(theirs) == "2", "the move is seen", POLL_SECONDS / 4)
    assert desired(ours) == "1"
