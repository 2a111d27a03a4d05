"""With promotedOnly nothing serves but what a Promotion vouches for, with either backend."""

from collections.abc import Iterator

import pytest

from support.kube import Kube
from support.promoting import Promoting
from support.seldon import SeldonStandIn
from support.serving import Serving
from support.waiting import eventually
from support.world import World
from tools.localcluster.controlplane import ControlPlane
from tools.seldon_standin.manifests import CRD_NAME

pytestmark = pytest.mark.api


@pytest.fixture(scope="module", autouse=True)
def seldon(
    control_plane: ControlPlane, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeldonStandIn]:
    """Seldon's stand-in, from the start: operators of this module find its kind at once."""
    seldon = SeldonStandIn(control_plane, kube, tmp_path_factory.mktemp("seldon"))
    seldon.install()
    yield seldon
    seldon.remove()
    is_gone = lambda: kube.get("CustomResourceDefinition", "", CRD_NAME) is None  # noqa: E731
    eventually(is_gone, "the CRD is gone", str)


@pytest.mark.parametrize("backend", ["SeldonDeployment", "Deployment"])
def test_what_serves_takes_only_what_a_promotion_vouches_for(world: World, backend: str) -> None:
    digits = Promoting(world)
    model = {"name": digits.model, "alias": "champion", "promotedOnly": True}
    serving = Serving(world, model=model, backend=backend)
    said = serving.until_ready_says("False", "AwaitingPromotion", 60)
    assert "no Promotion of namespace" in said["message"]
    assert not world.items("Deployment")

    version = digits.make(0.95)
    digits.by_hand(version)
    digits.promote("by-hand")
    serving.come_up(version)

    digits.world.tracking.point(digits.model, "champion", "1")
    said = serving.until_ready_says("True", "AwaitingPromotion")
    assert f"version {version} serves" in said["message"]
    assert serving.pods("1") == []

    digits.world.tracking.point(digits.model, "champion", version)
    serving.until_ready_says("True", "Serving")
    digits.by_hand("1", "back")
    digits.promote("back")
    serving.come_up("1")
