"""A volume that outlives attempts, against a real API server."""

import pytest

from support.tracking import variables_of
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

KEPT = {"persistentVolumeClaim": {"claimName": "kept"}}
AT_ONCE = {"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}


def test_a_second_attempt_finds_the_same_volume_at_the_same_path(world: World) -> None:
    training = Training(world, checkpoint=KEPT, retry=AT_ONCE)
    first = training.start(1)
    world.kubelet.fail(first)
    second = training.start(2)
    for number, pod in ((1, first), (2, second)):
        told = variables_of(pod)
        assert (told["CHECKPOINT_DIR"], told["MODELYARD_ATTEMPT"]) == ("/checkpoint", str(number))
        claims = [item["persistentVolumeClaim"] for item in pod["spec"]["volumes"] if "persistentVolumeClaim" in item]
        assert claims == [{"claimName": "kept"}]
    world.kubelet.succeed(second)
    training.until_over()


def test_a_claim_that_is_not_there_is_named_by_its_field_and_waited_for(world: World) -> None:
    training = Training(world, checkpoint=KEPT)
    pod = training.pod()
    message = '0/1 nodes are available: persistentvolumeclaim "kept" not found. not eligible for preemption.'
    world.kubelet.refuse(pod, message)
    told = "spec.checkpoint.persistentVolumeClaim.claimName: there is no PersistentVolumeClaim kept"
    world.until(lambda: told in training.condition("Complete").get("message", ""), "the field is named")
    assert training.state == "Pending"
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.condition("Complete")["status"] == "True"


def test_a_checkpoint_in_place_of_another_mount_is_refused_with_both_fields(world: World) -> None:
    mount = {"name": "own", "mountPath": "/checkpoint"}
    training = Training(world, checkpoint=KEPT, trainer={"command": ["x"], "volumeMounts": [mount]})
    assert "spec.checkpoint.mountPath: spec.trainer.volumeMounts" in training.until_invalid()
    assert training.jobs() == []
