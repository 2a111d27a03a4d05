"""Parameters with every odd character, from a TrainingJob to its pod and its run; and those that cannot work."""

import json

import pytest

from support import odd_parameters
from support.tracking import variables_of
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

ODD = odd_parameters.ODD | {"long": "ü" * 6000}


def test_odd_values_reach_the_run_and_the_pod_unchanged(world: World) -> None:
    training = Training(world, parameters=[{"name": name, "value": value} for name, value in ODD.items()])
    pod = training.start()
    (run,) = world.tracking.runs_of(training.uid)
    assert run.data.params == ODD
    assert json.loads(pod["metadata"]["annotations"]["modelyard.io/parameters"]) == ODD
    told = variables_of(pod)  # an empty value is left out by the API server, and empty to the kubelet
    assert {name: told.get(f"PARAM_{name.upper()}", "").replace("$$", "$") for name in ODD} == ODD


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"trainer": {"args": ["$(PARAM_DEPHT)"]}}, "spec.trainer.args: $(PARAM_DEPHT) names no parameter"),
        ({"parameters": [{"name": "a", "value": "1"}, {"name": "A", "value": "2"}]}, "the variable PARAM_A"),
        (
            {"parameters": [{"name": f"p{number}", "value": "x" * 6000} for number in range(22)]},
            "spec.parameters: together they take",
        ),
    ],
    ids=["a misspelt reference", "one variable", "too much"],
)
def test_what_cannot_work_is_said_and_makes_no_run(world: World, spec: dict[str, object], message: str) -> None:
    training = Training(world, **spec)
    assert message in training.until_invalid()
    assert (training.jobs(), world.tracking.runs_of(training.uid)) == ([], [])
