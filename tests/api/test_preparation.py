"""Data preparation and datasets, on a real API server and in a real MLflow."""

import json

import mlflow.data
import pytest

from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

PREPARE = {"command": ["python3", "prepare.py"]}
NEVER = {"limit": 0}
DIGEST = "sha256:" + "ab" * 32


def test_a_life_with_preparation_ends_well_and_says_so_on_the_way(world: World) -> None:
    training = Training(world, prepare=PREPARE)
    pod = training.pod()
    world.kubelet.run_helper(pod, "prepare")
    training.until_state("Preparing")
    assert "-c prepare" in training.condition("Complete")["message"]
    world.kubelet.end_helper(pod, "prepare")
    pod = training.start()
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.statuses_of_runs() == ["FINISHED"]


def test_preparation_that_fails_is_the_attempts_reason_and_its_log_is_named(world: World) -> None:
    training = Training(world, prepare=PREPARE, retry=NEVER)
    pod = training.pod()
    world.kubelet.run_helper(pod, "prepare")
    world.kubelet.end_helper(pod, "prepare", 3, "KeyError: 'label'")
    training.until_over()
    attempt = training.attempt(1)
    assert (attempt["reason"], attempt["exitCode"]) == ("PrepareFailed", 3)
    told = training.condition("Failed")["message"]
    assert "KeyError: 'label'" in told
    assert f"kubectl logs job/{attempt['job']} -c prepare -n {world.namespace}" in told
    (run,) = world.tracking.runs_of(training.uid)
    assert (run.info.status, run.data.tags["modelyard.io/reason"]) == ("FAILED", "PrepareFailed")


def test_datasets_are_inputs_of_every_attempts_run_once(world: World) -> None:
    datasets = [
        {"name": "train", "uri": "s3://bucket/train", "digest": DIGEST},
        {"name": "test", "uri": "https://example.com/test.csv"},
    ]
    retry = {"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
    training = Training(world, datasets=datasets, retry=retry)
    world.kubelet.fail(training.start(1))
    world.kubelet.succeed(training.start(2))
    training.until_over()
    runs = world.tracking.runs_of(training.uid)
    assert len(runs) == 2
    for run in runs:
        inputs = {item.dataset.name: item for item in run.inputs.dataset_inputs}
        assert set(inputs) == {"train", "test"}
        assert inputs["train"].dataset.digest == "ab" * 18
        assert {tag.key: tag.value for tag in inputs["train"].tags} == {"modelyard.io/digest": DIGEST}
        assert mlflow.data.get_source(inputs["train"].dataset).uri == "s3://bucket/train"
        assert json.loads(inputs["test"].dataset.source) == {"url": "https://example.com/test.csv"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"datasets": [{"name": "a.b", "uri": "/1"}, {"name": "a-b", "uri": "/2"}]}, "the variable DATASET_A_B_URI"),
        (
            {"datasets": [{"name": "a", "uri": "/1"}], "prepare": {"env": [{"name": "DATASET_A_URI", "value": "x"}]}},
            "spec.prepare.env: DATASET_A_URI is set from spec.datasets",
        ),
        ({"prepare": {"args": ["$(PARAM_ROWS)"]}}, "spec.prepare.args: $(PARAM_ROWS) names no parameter"),
        (
            {"prepare": {}, "trainer": {"volumeMounts": [{"name": "x", "mountPath": "/data"}]}},
            "spec.trainer.volumeMounts: /data is where spec.prepare leaves its files",
        ),
    ],
    ids=["one variable", "a variable set twice", "a misspelt reference", "a mount over the data"],
)
def test_what_cannot_work_is_said_and_makes_no_run(world: World, spec: dict[str, object], message: str) -> None:
    training = Training(world, **spec)
    assert message in training.until_invalid()
    assert (training.jobs(), world.tracking.runs_of(training.uid)) == ([], [])
