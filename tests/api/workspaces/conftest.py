"""Two teams, each with a namespace and the workspace of MLflow that has its name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from support.tracking import Tracking
from support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.mlflow_server import MlflowServer
    from support.world import World


@pytest.fixture
def server(workspace_server: MlflowServer) -> Tracking:
    """MLflow as its administrator sees it."""
    return Tracking(workspace_server.uri)


@pytest.fixture
def ours(world: World, server: Tracking) -> World:
    """One team's namespace, with its workspace."""
    return dataclasses.replace(world, tracking=server.make_workspace(world.namespace))


@pytest.fixture
def theirs(world: World, server: Tracking) -> Iterator[World]:
    """Another team's."""
    name = f"{world.namespace}-b"
    world.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: world.kube.get("ServiceAccount", name, "default"), "pods can be made", lambda: name)
    yield dataclasses.replace(world, namespace=name, tracking=server.make_workspace(name))
    for kind in ("TrainingJob", "PromotionPolicy", "Promotion", "ModelDeployment"):
        for item in world.kube.items(kind, name):
            world.kube.delete(kind, name, item["metadata"]["name"])
