"""A TrainingJob's life, from its first pod to its end, against a real API server and a real MLflow."""

import pytest

from support.kubelet import NODE
from support.tracking import run_context_of, run_training_code, variables_of
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

AT_ONCE = {"limit": 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
NEVER = {"limit": 0}

USERS_CODE = """
import mlflow

class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [7] * len(model_input)

with mlflow.start_run():
    mlflow.log_metric("val_accuracy", 0.96875, step=3)
    mlflow.pyfunc.log_model(name="model", python_model=Constant(), pip_requirements=["mlflow"])
"""


def test_a_life_without_a_model_is_told_in_conditions_columns_and_one_event(world: World) -> None:
    training = Training(world, parameters=[{"name": "C", "value": "0.5"}])
    pod = training.start()
    assert training.condition("Tracked")["reason"] == "RunCreated"
    assert training.condition("Reconciling")["status"] == "True"
    world.kubelet.succeed(pod)
    training.until_over()
    status = training.status
    assert training.condition("Complete")["status"] == "True"
    assert {item["type"] for item in status["conditions"]} == {"Complete", "Tracked"}
    assert (status["observedGeneration"], status["attempt"]) == (1, 1)
    (attempt,) = status["attempts"]
    assert (attempt["reason"], attempt["exitCode"], attempt["node"]) == ("Succeeded", 0, NODE)
    (run,) = world.tracking.runs_of(training.uid)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"C": "0.5"}
    assert run.data.tags["modelyard.io/node"] == NODE
    (row,) = world.table("trainingjobs")
    shown = {name: row[name] for name in ("State", "Attempt", "Model", "Version", "Run", "Node", "Message")}
    assert shown == {
        "State": "Succeeded",
        "Attempt": 1,
        "Model": None,
        "Version": None,
        "Run": run.info.run_id,
        "Node": NODE,
        "Message": "the training succeeded",
    }
    assert [event["reason"] for event in world.events_about(training.live)] == ["Succeeded"]


def test_a_users_code_logs_into_the_attempts_run_and_its_model_is_registered_once(world: World) -> None:
    name = f"{world.namespace}.digits"
    model = {"name": name, "aliases": ["champion"], "tags": [{"name": "team", "value": "vision"}]}
    training = Training(world, model=model, tracking={"metrics": ["val_accuracy"]})
    pod = training.start()
    run_training_code(USERS_CODE, variables_of(pod))
    world.kubelet.succeed(pod)
    training.until_over()
    (version,) = world.tracking.versions_of(name)
    assert training.status["modelVersion"]["name"] == name
    assert training.status["modelVersion"]["version"] == version.version == "1"
    assert training.status["metrics"] == [{"name": "val_accuracy", "value": "0.96875", "step": 3}]
    assert training.condition("Registered")["status"] == "True"
    assert world.tracking.client.get_model_version_by_alias(name, "champion").version == "1"
    assert version.tags["team"] == "vision"
    assert version.tags["modelyard.io/trainingjob"] == "digits"
    assert version.run_id == training.status["tracking"]["runID"]
    assert training.statuses_of_runs() == ["FINISHED"]
    (row,) = world.table("trainingjobs")
    assert (row["Model"], row["Version"], row["Metric"]) == (name, "1", "0.96875")


def test_a_version_that_the_code_registered_itself_is_adopted(world: World) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name, "aliases": ["candidate"]})
    pod = training.start()
    model_id = world.tracking.log_model(training.run_id())
    version = world.tracking.register(name, model_id, training.run_id())
    world.kubelet.succeed(pod)
    training.until_over()
    assert [item.version for item in world.tracking.versions_of(name)] == [version]
    assert training.status["modelVersion"] == {"name": name, "version": version, "modelID": model_id}
    assert world.tracking.client.get_model_version_by_alias(name, "candidate").version == version


def test_runs_that_the_code_starts_by_itself_are_not_taken_for_the_attempts_own(world: World) -> None:
    training = Training(world)
    pod = training.start()
    experiment_id = variables_of(pod)["MLFLOW_EXPERIMENT_ID"]
    other = world.tracking.client.create_run(experiment_id, tags=run_context_of(pod))
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.status["attempts"][0]["runID"] != other.info.run_id
    assert world.tracking.run(training.status["attempts"][0]["runID"]).info.status == "FINISHED"


def test_a_failure_is_followed_by_another_attempt_until_the_limit(world: World) -> None:
    training = Training(world, retry={"limit": 1, "backoff": {"initialSeconds": 2, "maxSeconds": 2}})
    world.kubelet.fail(training.start(1), exit_code=3, message="ValueError: no such column")
    training.until_state("Retrying")
    assert "ValueError: no such column" in training.condition("Complete")["message"]
    assert training.status["nextAttemptTime"]
    world.kubelet.fail(training.start(2), exit_code=3)
    training.until_over()
    failed = training.condition("Failed")
    assert (failed["status"], failed["reason"]) == ("True", "RetryLimitExceeded")
    assert training.condition("Complete")["reason"] == "RetryLimitExceeded"
    assert training.condition("Stalled")["status"] == "True"
    assert not training.condition("Reconciling")
    assert [item["number"] for item in training.status["attempts"]] == [2, 1]
    assert len(training.jobs()) == 2
    assert training.statuses_of_runs() == ["FAILED", "FAILED"]
    reasons = sorted(event["reason"] for event in world.events_about(training.live))
    assert reasons == ["AttemptFailed", "RetryLimitExceeded"]


def test_a_retry_that_succeeds_makes_a_success_with_two_runs(world: World) -> None:
    training = Training(world, retry=AT_ONCE)
    world.kubelet.fail(training.start(1))
    second = training.pod(2)
    world.kubelet.run(second)
    world.kubelet.succeed(second)
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    assert not training.condition("Failed")
    assert training.statuses_of_runs() == ["FAILED", "FINISHED"]


def test_out_of_memory_is_told_with_its_cure_in_status_and_on_the_run(world: World) -> None:
    training = Training(world, retry=NEVER)
    world.kubelet.run_out_of_memory(training.start())
    training.until_over()
    attempt = training.attempt(1)
    assert (attempt["reason"], attempt["exitCode"]) == ("OOMKilled", 137)
    assert "resources.limits.memory" in training.condition("Failed")["message"]
    (run,) = world.tracking.runs_of(training.uid)
    assert run.info.status == "FAILED"
    assert run.data.tags["modelyard.io/reason"] == "OOMKilled"
    assert run.data.tags["modelyard.io/exit-code"] == "137"


def test_an_evicted_pod_ends_its_run_as_killed_and_is_followed_by_another(world: World) -> None:
    training = Training(world, retry=AT_ONCE)
    world.kubelet.evict(training.start())
    second = training.pod(2)
    assert training.attempt(1)["reason"] == "Evicted"
    world.kubelet.run(second)
    world.kubelet.succeed(second)
    training.until_over()
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_suspending_stops_the_pods_and_resuming_begins_the_next_attempt(world: World) -> None:
    training = Training(world, retry=NEVER)
    training.start()
    world.patch("TrainingJob", "digits", suspend=True)
    world.until(lambda: training.condition("Suspended").get("reason") == "Suspended", "suspended")
    assert training.state == "Suspended"
    assert training.pods(1) == []
    assert training.statuses_of_runs() == ["KILLED"]
    world.patch("TrainingJob", "digits", suspend=False)
    world.kubelet.succeed(training.start(2))
    training.until_over()
    assert training.condition("Complete")["status"] == "True", "a suspension is no failure"
    assert training.attempt(1)["reason"] == "Suspended"
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_suspended_from_the_start_nothing_is_made_and_all_of_spec_may_change(world: World) -> None:
    training = Training(world, suspend=True)
    training.until_state("Suspended")
    assert training.jobs() == []
    world.patch("TrainingJob", "digits", trainer={"command": ["python", "other.py"]}, suspend=False)
    assert training.pod()["spec"]["containers"][0]["command"] == ["python", "other.py"]


def test_with_run_policy_reuse_all_attempts_go_on_with_one_run(world: World) -> None:
    name = f"{world.namespace}.digits"
    spec = {"tracking": {"runPolicy": "Reuse"}, "model": {"name": name}, "parameters": [{"name": "C", "value": "1"}]}
    training = Training(world, retry=AT_ONCE, **spec)
    first = training.start(1)
    run_training_code(USERS_CODE, variables_of(first))
    world.kubelet.run_out_of_memory(first)
    second = training.pod(2)
    assert variables_of(second)["MLFLOW_RUN_ID"] == variables_of(first)["MLFLOW_RUN_ID"]
    assert training.statuses_of_runs() == ["RUNNING"]
    world.kubelet.run(second)
    run_training_code(USERS_CODE, variables_of(second))
    world.kubelet.succeed(second)
    training.until_over()
    (run,) = world.tracking.runs_of(training.uid)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "digits")
    assert run.info.end_time >= run.info.start_time
    assert run.data.params == {"C": "1"}
    assert run.data.tags["modelyard.io/attempt"] == "2"
    assert run.data.tags["modelyard.io/reason"] == "Succeeded"
    assert {item["runID"] for item in training.status["attempts"]} == {run.info.run_id}
    assert len(world.tracking.versions_of(name)) == 1, "both attempts logged a model of one name: the newest counts"


def test_a_shared_run_is_not_ended_by_a_resync_while_its_next_attempt_runs(world: World) -> None:
    training = Training(world, retry=AT_ONCE, tracking={"runPolicy": "Reuse"})
    world.kubelet.fail(training.start(1))
    pod = training.start(2)
    world.operator.kill()
    world.operator.start_and_wait()  # every operator begins with a look at what is left open
    world.until(world.operator.leads, "it leads again", 40)
    world.at_no_time(lambda: training.statuses_of_runs() != ["RUNNING"], "the run was ended", 5)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.statuses_of_runs() == ["FINISHED"]


def test_deleting_a_running_job_kills_its_run_and_takes_its_pods_away(world: World) -> None:
    training = Training(world)
    training.start()
    world.delete("TrainingJob", "digits")
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed")
    world.until(lambda: not training.jobs() and not training.pods(1), "Job and pods are gone")


def test_a_run_that_its_code_ended_because_of_the_deletion_is_killed_all_the_same(world: World) -> None:
    """A script that is told to stop leaves its `with mlflow.start_run()`, which then says FAILED."""
    training = Training(world)
    training.start()
    (run,) = world.tracking.runs_of(training.uid)
    world.tracking.client.set_terminated(run.info.run_id, "FAILED")
    world.delete("TrainingJob", "digits")
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed")


def test_the_run_of_a_job_deleted_after_its_end_stays_as_it_ended(world: World) -> None:
    training = Training(world, retry=NEVER)
    world.kubelet.fail(training.start())
    training.until_over()
    world.delete("TrainingJob", "digits")
    world.until(lambda: not training.jobs(), "the garbage collector took the Job")
    world.at_no_time(lambda: training.statuses_of_runs() != ["FAILED"], "the run changed", 3)


def test_the_run_of_a_job_deleted_while_no_operator_ran_is_killed_by_the_next(world: World) -> None:
    training = Training(world)
    training.start()
    world.operator.stop()
    world.delete("TrainingJob", "digits")
    world.until(lambda: not training.jobs(), "the garbage collector took the Job")
    world.operator.start_and_wait()
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed")


def test_runs_of_other_clusters_are_never_touched(world: World) -> None:
    """Clusters may share an MLflow, and one may have been made from a copy of another, UIDs and all."""
    training = Training(world)
    training.start()
    (own,) = world.tracking.runs_of(training.uid)
    client = world.tracking.client
    other = client.create_run(own.info.experiment_id, tags=own.data.tags | {"modelyard.io/cluster": "another"})
    try:
        world.operator.stop()
        world.delete("TrainingJob", "digits")
        world.until(lambda: not training.jobs(), "the garbage collector took the Job")
        world.operator.start_and_wait()
        world.until(lambda: world.tracking.run(own.info.run_id).info.status == "KILLED", "its own run is killed")
        again = Training(world, "again")
        world.kubelet.succeed(again.start())
        again.until_over()
        assert world.tracking.run(other.info.run_id).info.status == "RUNNING"
    finally:
        client.set_terminated(other.info.run_id, "KILLED")


@pytest.mark.parametrize("logged", [(), ("a", "b")], ids=["none", "two"])
def test_without_exactly_one_model_nothing_is_registered_and_it_says_so(world: World, logged: tuple[str, ...]) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name}, retry={"limit": 3})
    pod = training.start()
    for model in logged:
        world.tracking.log_model(training.run_id(), model)
    world.kubelet.succeed(pod)
    training.until_over()
    failed = training.condition("Failed")
    assert failed["reason"] == ("ModelAmbiguous" if logged else "ModelMissing")
    assert ("a, b" if logged else "log_model") in failed["message"]
    assert world.tracking.versions_of(name) == []
    assert len(training.jobs()) == 1, "another attempt would log the same"
    assert training.statuses_of_runs() == ["FINISHED"], "the pod's exit decides"


def test_of_several_models_the_named_one_is_registered(world: World) -> None:
    name = f"{world.namespace}.digits"
    training = Training(world, model={"name": name, "artifact": "b"})
    pod = training.start()
    ids = {model: world.tracking.log_model(training.run_id(), model) for model in ("a", "b")}
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.status["modelVersion"]["modelID"] == ids["b"]


def test_made_anew_under_the_same_name_at_once_it_is_another_one(world: World) -> None:
    first = Training(world)
    first.start()
    world.delete("TrainingJob", "digits")
    second = Training(world)
    assert second.uid != first.uid
    pod = second.pod()
    world.kubelet.run(pod)
    world.kubelet.succeed(pod)
    second.until_over()
    assert second.status["attempt"] == 1
    assert second.statuses_of_runs() == ["FINISHED"]
    world.until(lambda: first.statuses_of_runs() == ["KILLED"], "the first one's run is killed")


def test_a_job_deleted_by_somebody_counts_as_a_failed_attempt(world: World) -> None:
    training = Training(world, retry=AT_ONCE)
    training.start()
    (job,) = training.jobs()
    world.delete("Job", job["metadata"]["name"], propagationPolicy="Background")
    second = training.pod(2)
    assert training.attempt(1)["reason"] == "JobDeleted"
    world.kubelet.run(second)
    world.kubelet.succeed(second)
    training.until_over()
    assert training.statuses_of_runs() == ["KILLED", "FINISHED"]


def test_the_end_does_not_change_any_more(world: World) -> None:
    training = Training(world, retry=NEVER)
    world.kubelet.fail(training.start())
    training.until_over()
    before = training.status
    world.patch("TrainingJob", "digits", retry={"limit": 5})
    world.until(lambda: training.status["observedGeneration"] == 2, "the edit is noticed")
    assert training.status == before | {"observedGeneration": 2}
    assert len(training.jobs()) == 1


def test_with_its_namespace_deleted_its_run_is_killed(world: World) -> None:
    training = Training(world)
    training.start()
    world.kube.delete("Namespace", "", world.namespace)
    world.until(lambda: training.statuses_of_runs() == ["KILLED"], "the run is killed", 60)


def test_a_copy_of_a_jobs_labels_makes_nobody_its_child(world: World) -> None:
    training = Training(world)
    pod = training.start()
    (job,) = training.jobs()
    stray = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "stray", "labels": job["metadata"]["labels"] | {"modelyard.io/attempt": "9"}},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}},
        },
    }
    world.create(stray)
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.status["attempt"] == 1
    assert world.get("Job", "stray"), "what is not ours is left alone"
