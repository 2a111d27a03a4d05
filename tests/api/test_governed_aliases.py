"""Nobody slips past a PromotionPolicy: neither a training nor a hand in MLflow."""

import json

import pytest

from support.kube import Manifest
from support.promoting import Promoting
from support.serving import Serving
from support.training import Training
from support.world import World, condition

pytestmark = pytest.mark.api


def events(world: World, manifest: Manifest) -> list[str]:
    return [event["reason"] for event in world.events_about(manifest)]


def promoted(digits: Promoting, target: Manifest | None = None) -> str:
    """A policy that promoted a candidate; the version."""
    digits.policy(target={"alias": "champion"} | (target or {}))
    version = digits.make(0.95, "candidate")
    digits.promote(f"digits-{version}")
    digits.until_policy("Current")
    return version


def test_a_training_does_not_set_what_a_policy_moves_and_its_candidate_is_promoted(digits: Promoting) -> None:
    digits.policy()
    digits.until_policy("AwaitingCandidate")
    training = Training(digits.world, model={"name": digits.model, "aliases": ["champion", "candidate"]})
    pod = training.start()
    digits.world.tracking.log_model(training.run_id())
    digits.world.kubelet.succeed(pod)
    training.until_over()
    said = training.condition("Registered")
    assert (said["status"], said["reason"]) == ("True", "AliasGoverned")
    assert f"champion (PromotionPolicy {digits.world.namespace}/digits); name candidate" in said["message"]
    assert "AliasGoverned" in events(digits.world, training.live)
    assert digits.champion == "1"
    digits.promote("digits-2")
    assert digits.champion == "2"


def test_a_move_by_hand_is_reported_once_and_ends_when_it_is_undone(digits: Promoting) -> None:
    version = promoted(digits)
    digits.world.tracking.point(digits.model, "champion", "1")
    said = digits.until_policy("MovedByHand")
    assert "points at version 1, which no Promotion did" in said["message"]
    assert digits.champion == "1"
    policy = digits.world.get("PromotionPolicy", "digits") or {}
    assert condition(policy, "Conflict")["status"] == "True"
    digits.world.tracking.point(digits.model, "champion", version)
    digits.until_policy("Current")
    policy = digits.world.get("PromotionPolicy", "digits") or {}
    assert condition(policy, "Conflict")["status"] == "False"
    assert events(digits.world, policy).count("MovedByHand") == 1


def test_a_move_by_hand_is_undone_where_the_policy_says_so(digits: Promoting) -> None:
    version = promoted(digits, {"onManualMove": "Revert"})
    for holder in ("1", None):
        if holder:
            digits.world.tracking.point(digits.model, "champion", holder)
        else:
            digits.world.tracking.client.delete_registered_model_alias(digits.model, "champion")
        digits.world.until(lambda: digits.champion == version, f"it is moved back from {holder}")
    policy = digits.world.get("PromotionPolicy", "digits") or {}
    digits.world.until(lambda: events(digits.world, policy).count("Reverted") == 2, "each move is told once")


def test_a_roll_back_by_a_promotion_is_no_move_by_hand(digits: Promoting) -> None:
    promoted(digits, {"onManualMove": "Revert"})
    digits.by_hand("1")
    digits.promote("by-hand")
    digits.until_policy("PromotedBefore")
    digits.world.at_no_time(lambda: digits.champion != "1", "the roll-back is undone", 4)


def test_a_version_that_cannot_serve_is_gone_back_from_by_a_promotion(digits: Promoting) -> None:
    world = digits.world
    digits.policy(target={"alias": "champion", "onManualMove": "Revert"})
    model, rollback = {"name": digits.model, "alias": "champion"}, {"moveAliasBack": True}
    serving = Serving(world, model=model, backend="Deployment", rollback=rollback)
    world.until(lambda: serving.pods("1"), "pods of version 1", 60)
    serving.take_up("1")
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    world.kubelet.fail_init(
        serving.pod("2"), json.dumps({"reason": "ModelIncomplete", "message": "model.pkl is missing"})
    )
    names = lambda: [item["metadata"]["name"] for item in world.items("Promotion", "")]  # noqa: E731
    (back,) = world.until(lambda: [name for name in names() if "-back-" in name], "a Promotion goes back")
    digits.promote(back)
    serving.until_ready_says("True", "Serving")
    assert digits.champion == "1"
    said = digits.get(back)
    assert said["status"]["previousVersion"] == "2"
    assert said["status"]["by"] == "modelyard"
    assert "refused version 2: ModelIncomplete" in said["spec"]["approval"]["comment"]
    world.at_no_time(lambda: digits.champion != "1", "the roll-back is undone", 4)
    assert len([name for name in names() if "-back-" in name]) == 1
