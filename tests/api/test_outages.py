"""MLflow away, before, during and after a training: nothing is lost, and what serves goes on serving."""

import signal
from collections.abc import Iterator

import pytest

from api.mlflow_server import MlflowServer
from support.serving import Serving
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

BACK_SECONDS = 30.0
"""How long after its return the work may take to go on."""


@pytest.fixture(autouse=True)
def _back_afterwards(mlflow_server: MlflowServer) -> Iterator[None]:
    yield
    mlflow_server.signal(signal.SIGCONT)


def test_a_job_applied_while_mlflow_hangs_waits_and_says_so(world: World, mlflow_server: MlflowServer) -> None:
    mlflow_server.signal(signal.SIGSTOP)
    training = Training(world)
    world.until(lambda: training.condition("Tracked").get("status") == "False", "it says so", 40)
    assert training.condition("Tracked")["reason"] == "TrackingUnavailable"
    assert "TrackingUnavailable" in training.condition("Complete")["message"]
    assert training.condition("Reconciling")["status"] == "True"
    assert training.jobs() == [], "no pod without a run"
    mlflow_server.signal(signal.SIGCONT)
    pod = training.pod(seconds=BACK_SECONDS)
    world.kubelet.run(pod)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.statuses_of_runs() == ["FINISHED"]


def test_a_training_that_ends_while_mlflow_is_dead_is_finished_after_its_return(
    world: World, mlflow_server: MlflowServer
) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name, "aliases": ["champion"]})
    pod = training.start()
    world.tracking.log_model(training.run_id())
    mlflow_server.kill()
    try:
        world.kubelet.succeed(pod)
        world.until(lambda: training.condition("Tracked").get("status") == "False", "it says so", 40)
        assert training.condition("Tracked")["reason"] == "TrackingUnavailable"
        assert training.condition("Complete")["status"] == "False"
        assert len(training.jobs()) == 1, "no attempt is lost to it"
    finally:
        mlflow_server.start()
    training.until_over(BACK_SECONDS)
    assert training.statuses_of_runs() == ["FINISHED"]
    assert [version.version for version in world.tracking.versions_of(name)] == ["1"]


def test_mlflow_dead_at_the_registration_is_waited_for(world: World, mlflow_server: MlflowServer) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name})
    pod = training.start()
    model_id = world.tracking.log_model(training.run_id(), status="PENDING")
    world.kubelet.succeed(pod)
    world.until(lambda: training.condition("Registered").get("reason") == "ModelPending", "the upload is waited for")
    mlflow_server.kill()
    try:
        world.until(lambda: training.condition("Registered").get("reason") == "TrackingUnavailable", "it says so", 40)
        assert training.state == "Registering"
    finally:
        mlflow_server.start()
    world.tracking.client.finalize_logged_model(model_id, "READY")
    training.until_over(BACK_SECONDS)
    assert [version.version for version in world.tracking.versions_of(name)] == ["1"]


def test_what_serves_goes_on_and_can_be_scaled(world: World, mlflow_server: MlflowServer) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    serving = Serving(world, model={"name": name, "alias": "champion"})
    serving.come_up("1")
    mlflow_server.signal(signal.SIGSTOP)
    said = serving.until_ready_says("True", "TrackingUnavailable", 40)
    assert "version 1 serves" in said["message"]
    assert serving.condition("ModelResolved")["status"] == "Unknown"
    assert serving.pods("1")
    world.patch("ModelDeployment", "digits", replicas=2)
    world.until(lambda: len(serving.pods("1")) == 2, "a second pod", 40)
    assert serving.condition("Ready")["status"] == "True"
    mlflow_server.signal(signal.SIGCONT)
    serving.make_ready("1")
    serving.until_ready_says("True", "Serving", BACK_SECONDS)


def test_a_job_without_mlflow_does_not_keep_others_from_their_end(world: World, mlflow_server: MlflowServer) -> None:
    trainings = [Training(world, f"life-{number}") for number in range(3)]
    pods = [training.start() for training in trainings]
    mlflow_server.signal(signal.SIGSTOP)
    for pod in pods:
        world.kubelet.succeed(pod)
    late = Training(world, "late")
    world.until(lambda: late.condition("Tracked").get("status") == "False", "it says so", 40)
    mlflow_server.signal(signal.SIGCONT)
    for training in trainings:
        training.until_over(BACK_SECONDS)
        assert training.statuses_of_runs() == ["FINISHED"]
    late.pod(seconds=BACK_SECONDS)
    assert len(late.statuses_of_runs()) == 1


def test_a_job_deleted_while_mlflow_is_away_has_its_run_killed_after_its_return(
    world: World, mlflow_server: MlflowServer
) -> None:
    training = Training(world)
    training.start()
    mlflow_server.signal(signal.SIGSTOP)
    world.delete("TrainingJob", "digits")
    world.until(lambda: not training.jobs(), "the Job goes without waiting for MLflow")
    mlflow_server.signal(signal.SIGCONT)
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed", 60)
