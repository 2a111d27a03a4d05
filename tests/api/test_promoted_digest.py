"""The digest that a Promotion recorded, and what serves: it is told, held to it, and not restarted for it."""

import pytest

from support.promoting import Promoting, digest_of
from support.serving import Serving
from support.world import condition

pytestmark = pytest.mark.api


def test_what_serves_is_told_the_digest(digits: Promoting) -> None:
    serving = Serving(digits.world, model={"name": digits.model, "alias": "champion"})
    serving.come_up("1")
    digits.policy()
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    pod = serving.pod("2")
    assert pod["spec"]["initContainers"][0]["args"][-2:] == ["--digest", digest_of("2")]
    said = '{"reason": "DigestMismatch", "message": "version 2: the files are not those that were promoted"}'
    digits.world.kubelet.fail_init(pod, said)
    serving.until_ready_says("True", "RolledBack")
    assert serving.condition("Stalled")["reason"] == "DigestMismatch"
    assert serving.stable_version == "1"
    assert serving.pods("1")


def test_what_serves_is_not_restarted_when_it_is_vouched_for(digits: Promoting) -> None:
    serving = Serving(digits.world, model={"name": digits.model, "alias": "champion"})
    serving.come_up("1")
    (before,) = serving.pods("1")
    digits.by_hand("1")
    made = digits.promote("by-hand")
    assert "already" in condition(made, "Promoted")["message"]
    digits.world.at_no_time(
        lambda: [pod["metadata"]["uid"] for pod in serving.pods("1")] != [before["metadata"]["uid"]], "restarted", 4
    )


def test_a_digest_that_somebody_takes_from_what_serves_comes_back(digits: Promoting) -> None:
    world = digits.world
    serving = Serving(world, model={"name": digits.model, "alias": "champion"}, backend="Deployment")
    serving.come_up("1")
    digits.policy()
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    serving.take_up("2")
    world.until(lambda: serving.status["stable"].get("digest") == digest_of("2"), "status tells it")
    (deployment,) = world.items("Deployment")
    (fetcher,) = deployment["spec"]["template"]["spec"]["initContainers"]
    changed = {"template": {"spec": {"initContainers": [fetcher | {"args": fetcher["args"][:-2]}]}}}
    world.patch("Deployment", deployment["metadata"]["name"], **changed)

    def told() -> list[str]:
        (found,) = world.items("Deployment")
        arguments: list[str] = found["spec"]["template"]["spec"]["initContainers"][0]["args"]
        return arguments[-2:]

    world.until(lambda: told() == ["--digest", digest_of("2")], "it is there again")
