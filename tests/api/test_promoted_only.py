"""With promotedOnly nothing serves but what a Promotion vouches for, with either backend."""

import pytest

from support.promoting import Promoting
from support.serving import Serving
from support.world import World

pytestmark = [pytest.mark.api, pytest.mark.usefixtures("with_seldon")]


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
