"""A TrainingJob's life, from its first pod to its end, against a real API server and a real MLflow."""

import pytest

from support.training import Training
from support.world import World

pytestmark = pytest.mark.api


def test_a_life_without_a_model_is_told_in_conditions_columns_and_one_event_each(world: World) -> None:
    training = Training(world, parameters=[{"name": "C", "value": "0.5"}])
    pod = training.start()
    assert training.condition("Tracked")["reason"] == "RunCreated"
    assert training.condition("Reconciling")["status"] == "True"
    world.kubelet.succeed(pod)
    training.until_over()
    status = training.status
    assert training.condition("Complete")["status"] == "True"
    assert training.condition("Complete")["reason"] == "Succeeded"
    assert {item["type"] for item in status["conditions"]} == {"Complete", "Tracked"}
    assert status["observedGeneration"] == 1
    assert status["attempt"] == 1
    assert status["attempts"][0]["node"] == "node-1"
    (run,) = world.tracking.runs_of(training.uid)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"C": "0.5"}
    assert run.data.tags["modelyard.io/node"] == "node-1"
    (row,) = world.table("trainingjobs")
    assert (row["State"], row["Attempt"], row["Run"]) == ("Succeeded", 1, run.info.run_id)
    assert [event["reason"] for event in world.events_about(training.live)] == ["Succeeded"]
