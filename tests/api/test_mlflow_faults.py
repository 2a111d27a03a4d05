"""MLflow answers with 500 or loses answers: models are registered once, and work goes on after its return."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.kubelet import image_id_of
from support.mlflow_proxy import Fault, MlflowProxy
from support.operator_process import LEADING_SECONDS, OperatorProcess, running
from support.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.world import World

pytestmark = pytest.mark.api

BACK_SECONDS = 30.0
"""How long after MLflow's return the work may take to go on."""
OUTAGE_SECONDS = 40.0
"""Long enough for the pauses between two questions to have grown to their longest."""
DUPLICATE = "Duplicate"


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], _proxy: MlflowProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica whose MLflow is the proxy."""
    own = {**settings, "TRACKING_URI": _proxy.uri, "POD_TRACKING_URI": settings["TRACKING_URI"]}
    own |= {"LEASE_SECONDS": "4", "RECORD_USER": "true"}
    process = OperatorProcess(account, tmp_path_factory.mktemp("operator"), "faulted", own)
    with running([process]) as processes:
        yield processes


CALLS = {
    "runs/create": ("POST", "/mlflow/runs/create"),
    "runs/update": ("POST", "/mlflow/runs/update"),
    "registered-models/create": ("POST", "/mlflow/registered-models/create"),
    "model-versions/create": ("POST", "/mlflow/model-versions/create"),
    "registered-models/alias": ("POST", "/mlflow/registered-models/alias"),
}


@pytest.mark.parametrize("is_applied", [False, True], ids=["before it was sent", "after it was applied"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_breaks_makes_nothing_twice(world: World, proxy: MlflowProxy, call: str, is_applied: bool) -> None:
    name = f"{world.namespace}.digits"
    method, path = CALLS[call]
    proxy.fault = fault = Fault(method, path, is_applied=is_applied, times=1)
    training = Training(world, model={"name": name, "aliases": ["champion"]})
    pod = training.start()
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over(BACK_SECONDS)
    assert fault.met == 1, "the call was made, and broke"
    assert training.condition("Complete")["status"] == "True"
    assert [version.version for version in world.tracking.versions_of(name)] == ["1"]
    assert world.tracking.client.get_model_version_by_alias(name, "champion").version == "1"
    own = [run for run in world.tracking.runs_of(training.uid) if run.data.tags.get("modelyard.io/reason") != DUPLICATE]
    assert [run.info.status for run in own] == ["FINISHED"]


@pytest.mark.parametrize("call", ["runs/create", "model-versions/create", "registered-models/alias"])
def test_an_operator_that_dies_when_mlflow_has_done_it_does_it_once(
    world: World, proxy: MlflowProxy, operators: list[OperatorProcess], call: str
) -> None:
    """It is dead before it learns what became of its request: the next one finds what is there."""
    name = f"{world.namespace}.digits"
    method, path = CALLS[call]
    proxy.fault = fault = Fault(method, path, is_applied=True, times=1, meanwhile=operators[0].kill)
    training = Training(world, model={"name": name, "aliases": ["champion"]})
    if call == "runs/create":
        _begin_again(world, operators[0], fault)
    pod = training.start()
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    if call != "runs/create":
        _begin_again(world, operators[0], fault)
    training.until_over(BACK_SECONDS)
    assert [version.version for version in world.tracking.versions_of(name)] == ["1"]
    assert world.tracking.client.get_model_version_by_alias(name, "champion").version == "1"
    assert training.status["modelVersion"]["version"] == "1"
    assert training.statuses_of_runs() == ["FINISHED"]
    assert len(training.jobs()) == 1


def _begin_again(world: World, operator: OperatorProcess, fault: Fault) -> None:
    """Once the fault has killed the operator, start another."""
    world.until(lambda: fault.met == 1 and not operator.is_alive(), "the operator is dead")
    operator.start_and_wait()
    world.until(operator.leads, "the new one leads", LEADING_SECONDS)


def test_mlflow_that_answers_500_for_long_is_caught_up_with_soon_after(world: World, proxy: MlflowProxy) -> None:
    running_, ending = Training(world, "running"), Training(world, "ending")
    pod = running_.start()
    ending_pod = ending.start()
    proxy.fault = Fault("*", "/", answer=(500, "Internal Server Error"))
    begun = time.monotonic()
    world.kubelet.succeed(ending_pod)
    late = Training(world, "late")
    world.until(lambda: late.condition("Tracked").get("reason") == "TrackingUnavailable", "the one that waits says so")
    world.until(lambda: ending.condition("Tracked").get("reason") == "TrackingUnavailable", "the one that ended too")
    while time.monotonic() - begun < OUTAGE_SECONDS:
        assert late.jobs() == [], "no pod without a run"
        assert running_.state == "Running", "pods go on"
        time.sleep(1)
    proxy.fault = None
    back = time.monotonic()
    ending.until_over(BACK_SECONDS)
    late_pod = late.pod(seconds=BACK_SECONDS)
    print(f"\nafter MLflow's return: {time.monotonic() - back:.1f} s")
    assert ending.statuses_of_runs() == ["FINISHED"]
    for training, its in ((running_, pod), (late, late_pod)):
        world.kubelet.succeed(its)
        training.until_over()
        assert training.statuses_of_runs() == ["FINISHED"]


def test_a_failed_upload_is_told_and_registers_nothing(world: World, proxy: MlflowProxy) -> None:  # noqa: ARG001 - no fault
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name})
    pod = training.start()
    world.tracking.log_model(training.run_id(), status="FAILED")
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.condition("Failed")["reason"] == "ModelUploadFailed"
    assert world.tracking.versions_of(name) == []


def test_runs_and_versions_tell_what_they_were_made_of(world: World, proxy: MlflowProxy) -> None:  # noqa: ARG001 - no fault
    name = f"{world.namespace}.digits"
    resources = {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}}
    digest = f"sha256:{'a' * 64}"
    training = Training(
        world,
        trainer={"image": "example.com/train:1", "command": ["train"], "resources": resources},
        parameters=[{"name": "C", "value": "0.5"}],
        datasets=[{"name": "digits", "uri": "https://example.com/digits.csv", "digest": digest}],
        model={"name": name},
        suspend=True,
    )
    applied_by = {"metadata": {"annotations": {"modelyard.io/applied-by": "alice"}}}
    world.kube.patch("TrainingJob", world.namespace, "digits", applied_by)
    world.patch("TrainingJob", "digits", suspend=False)
    pod = training.start()
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over()
    (version,) = world.tracking.versions_of(name)
    (run,) = world.tracking.runs_of(training.uid)
    common = {
        "trainingjob": "digits",
        "trainingjob-uid": training.uid,
        "applied-by": "alice",
        "attempt": "1",
        "image-id": image_id_of("example.com/train:1"),
        "parameters-digest": training.status["parametersDigest"],
    }
    of_run = common | {
        "image": "example.com/train:1",
        "node": "node-1",
        "resources": '{"limits": {"memory": "64Mi"}, "requests": {"cpu": "100m"}}',
    }
    of_version = common | {"datasets": f'{{"digits": "{digest}"}}'}
    assert {key: run.data.tags.get(f"modelyard.io/{key}") for key in of_run} == of_run
    assert {key: version.tags.get(f"modelyard.io/{key}") for key in of_version} == of_version
    assert training.attempt(1)["imageID"] == common["image-id"]
