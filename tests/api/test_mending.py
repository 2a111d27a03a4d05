"""A spec that cannot work is mended where it is: nothing has begun, so all of it may change until it is right."""

from datetime import UTC, datetime, timedelta

import pytest

from support.kube import Refused
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

WRONG = {"spec": {"hostNetwork": True}}
NOWHERE = [{"name": "nowhere", "mountPath": "/x"}]


def test_a_mended_spec_trains_as_if_it_had_been_right_from_the_start(world: World) -> None:
    training = Training(world, podTemplate=WRONG, parameters=[{"name": "depth", "value": "8"}])
    assert "spec.podTemplate.spec.hostNetwork" in training.until_invalid()
    world.patch("TrainingJob", "digits", podTemplate=None, parameters=[{"name": "depth", "value": "9"}])
    world.kubelet.succeed(training.start())
    training.until_over()
    [run] = world.tracking.runs_of(training.uid)
    assert (run.info.status, run.data.params) == ("FINISHED", {"depth": "9"})
    assert "Stalled" not in {item["type"] for item in training.status["conditions"]}


def test_what_is_mended_into_something_else_that_is_wrong_says_the_new_thing(world: World) -> None:
    training = Training(world, podTemplate=WRONG)
    training.until_invalid()
    world.patch("TrainingJob", "digits", podTemplate={"spec": {"hostNetwork": None, "hostPID": True}})
    world.until(lambda: "hostPID" in training.condition("Stalled").get("message", ""), "the other field is named", 10)
    told = world.until(lambda: [e for e in world.events_about(training.live) if "hostPID" in e["note"]], "an Event")
    assert len(told) == 1


def test_once_mended_it_is_fixed_like_any_other(world: World) -> None:
    training = Training(world, podTemplate=WRONG)
    training.until_invalid()
    world.patch("TrainingJob", "digits", podTemplate=None)
    training.start()
    with pytest.raises(Refused, match=r"spec\.podTemplate cannot change after the start"):
        world.patch("TrainingJob", "digits", podTemplate=WRONG)


def test_a_run_that_was_made_before_the_api_server_refused_the_job_is_set_aside(world: World) -> None:
    wrong = {"command": ["python", "train.py"], "volumeMounts": NOWHERE}
    training = Training(world, trainer=wrong, parameters=[{"name": "depth", "value": "8"}])
    assert "nowhere" in training.until_invalid()
    world.until(lambda: training.statuses_of_runs() == ["FAILED"], "its run ends, as nothing runs")
    right = {"volumeMounts": None}
    world.patch("TrainingJob", "digits", trainer=right, parameters=[{"name": "depth", "value": "9"}])
    world.kubelet.succeed(training.start())
    training.until_over()
    runs = {run.data.params["depth"]: run.info.status for run in world.tracking.runs_of(training.uid)}
    assert runs == {"8": "KILLED", "9": "FINISHED"}


def test_a_run_whose_job_was_refused_goes_on_where_what_was_mended_says_nothing_of_it(world: World) -> None:
    training = Training(world, trainer={"command": ["python", "train.py"], "volumeMounts": NOWHERE})
    training.until_invalid()
    world.patch("TrainingJob", "digits", trainer={"volumeMounts": None})
    pod = training.start()
    assert training.statuses_of_runs() == ["RUNNING"]
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.statuses_of_runs() == ["FINISHED"]


def test_what_nobody_mends_goes_when_its_time_is_over_and_not_before_it_could_be_read(world: World) -> None:
    training = Training(world, podTemplate=WRONG, ttlSecondsAfterFinished=1)
    training.until_invalid()
    world.at_no_time(lambda: world.get("TrainingJob", "digits") is None, "it went before anybody could read it", 4)
    told = training.live["status"]["conditions"]
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [item | ({"lastTransitionTime": long_ago} if item["type"] == "Stalled" else {}) for item in told]
    world.kube.patch("TrainingJob", world.namespace, "digits", {"status": {"conditions": conditions}}, "status")
    world.until(lambda: world.get("TrainingJob", "digits") is None, "it is gone")


def test_what_is_suspended_and_wrong_says_so_before_it_is_resumed(world: World) -> None:
    training = Training(world, suspend=True, podTemplate=WRONG)
    training.until_invalid()
    assert training.condition("Suspended")["status"] == "True"
    world.patch("TrainingJob", "digits", podTemplate=None)
    training.until_state("Suspended")
    assert "problem" not in training.status
    world.patch("TrainingJob", "digits", suspend=False)
    world.kubelet.succeed(training.start())
    training.until_over()
