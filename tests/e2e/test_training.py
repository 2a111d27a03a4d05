"""Trainings on a real kubelet: a user's own script, memory limits, suspension, an operator or an MLflow that dies."""

import json
import time

import pytest

from support.trainings import code, start_sleeper, training_job
from support.yard import MLFLOW, Yard
from tools.demo import install

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OWN_SCRIPT = """
import mlflow
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

mlflow.autolog(log_models=False)
data = load_iris(as_frame=True)
x_train, x_test, y_train, y_test = train_test_split(data.data, data.target, random_state=0)
model = RandomForestClassifier(n_estimators=20, random_state=0)
with mlflow.start_run(run_name="my forest"):
    model.fit(x_train, y_train)
    pd.DataFrame({"importance": model.feature_importances_}).to_csv("importance.csv")
    mlflow.log_artifact("importance.csv")
    mlflow.log_metric("test_accuracy", model.score(x_test, y_test))
    mlflow.sklearn.log_model(
        model,
        name="forest",
        input_example=x_test.head(2),
        serialization_format="cloudpickle",
        registered_model_name="my-irises",
    )
"""

HUNGRY = """
import mlflow
mlflow.start_run()
mlflow.log_metric("begun", 1)
blocks = []
while True:
    blocks.append(bytearray(16 * 1024 * 1024))
"""


def test_a_users_own_script_trains_registers_and_serves(yard: Yard) -> None:
    deployment = {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "irises"},
        "spec": {"model": {"name": "my-irises", "alias": "live"}, "backend": "Deployment"},
    }
    job = training_job(
        "irises", model={"name": "my-irises", "aliases": ["live"]}, tracking={"metrics": ["test_accuracy"]}
    )
    yard.apply([code("irises", OWN_SCRIPT), job, deployment])
    done = yard.wait("trainingjob", "irises", "Complete", 600)
    assert done["status"]["modelVersion"]["version"] == "1", (
        "the version that the code registered is adopted, not doubled"
    )
    assert float(done["status"]["metrics"][0]["value"]) > 0.8
    yard.wait("modeldeployment", "irises", "Ready", 600)
    columns = {"sepal length (cm)": 5.1, "sepal width (cm)": 3.5, "petal length (cm)": 1.4, "petal width (cm)": 0.2}
    body = {
        "parameters": {"content_type": "pd"},
        "inputs": [
            {"name": name, "shape": [1, 1], "datatype": "FP64", "data": [value]} for name, value in columns.items()
        ],
    }
    path = f"/api/v1/namespaces/{yard.namespace}/services/irises:9000/proxy/v2/models/model/infer"
    answer = json.loads(yard.site.kubectl.run("create", "--raw", path, "--filename", "-", stdin=json.dumps(body)))
    assert answer["model_version"] == "1"
    assert answer["outputs"][0]["data"] == [0]


def test_a_training_over_its_memory_limit_is_told_as_such(yard: Yard) -> None:
    trainer = {"resources": {"limits": {"memory": "256Mi"}, "requests": {"memory": "64Mi"}}}
    yard.apply([code("hungry", HUNGRY), training_job("hungry", trainer=trainer, retry={"limit": 0})])
    done = yard.wait("trainingjob", "hungry", "Failed")
    (attempt,) = done["status"]["attempts"]
    assert attempt["reason"] == "OOMKilled"
    run = yard.run_of(attempt["runID"])
    assert run["status"] == "FAILED"
    assert run["tags"]["modelyard.io/reason"] == "OOMKilled"


def test_a_missing_image_is_named_and_waited_for_as_long_as_allowed(yard: Yard) -> None:
    trainer = {"image": "modelyard/no-such-image:1"}
    yard.apply([code("nowhere", "pass"), training_job("nowhere", trainer=trainer, pendingDeadlineSeconds=30)])

    def is_told() -> bool:
        said = yard.condition("trainingjob", "nowhere", "Complete")
        return said.get("reason") == "Pending" and "modelyard/no-such-image:1" in said["message"]

    yard.until(is_told, "the missing image is named", 90)
    done = yard.wait("trainingjob", "nowhere", "Failed", 120)
    assert done["status"]["attempts"][0]["reason"] == "ImagePullFailed"
    assert yard.condition("trainingjob", "nowhere", "Failed")["reason"] == "PendingDeadlineExceeded"
    assert yard.run_of(done["status"]["attempts"][0]["runID"])["status"] == "KILLED"
    yard.until(lambda: not yard.items("pods"), "its pod is gone", 60)


def test_a_suspended_training_stops_and_goes_on_when_resumed(yard: Yard) -> None:
    run_id = start_sleeper(yard, seconds=20)
    yard.kubectl("patch", "trainingjob", "sleeper", "--type=merge", "--patch", '{"spec":{"suspend":true}}')
    yard.wait("trainingjob", "sleeper", "Suspended", 90)
    yard.until(lambda: not yard.items("pods"), "its pods are gone", 90)
    yard.until(lambda: yard.run_of(run_id)["status"] == "KILLED", "its run is killed", 30)
    yard.kubectl("patch", "trainingjob", "sleeper", "--type=merge", "--patch", '{"spec":{"suspend":false}}')
    done = yard.wait("trainingjob", "sleeper", "Complete", 180)
    assert [attempt["reason"] for attempt in done["status"]["attempts"]] == ["Succeeded", "Suspended"]


def test_deleting_a_running_training_ends_its_run_as_killed(yard: Yard) -> None:
    run_id = start_sleeper(yard, seconds=300)
    yard.kubectl("delete", "trainingjob", "sleeper", "--timeout=60s")
    yard.until(lambda: not yard.items("jobs") and not yard.items("pods"), "job and pods are gone", 90)
    yard.until(lambda: yard.run_of(run_id)["status"] == "KILLED", "the run is killed", 60)


ONE_OF_TWO = """
import os, sys, time
if os.environ["NODE_RANK"] == "1":
    sys.exit("this pod had enough")
time.sleep(300)
"""


def test_one_pod_that_fails_ends_the_others_and_is_named(yard: Yard) -> None:
    yard.apply([code("pair", ONE_OF_TWO), training_job("pair", nodes=2, retry={"limit": 0})])
    done = yard.wait("trainingjob", "pair", "Failed", 180)
    (attempt,) = done["status"]["attempts"]
    assert attempt["message"].startswith("pod 1 of 2 failed first: ")
    assert "this pod had enough" in attempt["message"]
    assert [pod["metadata"]["name"] for pod in yard.items("pods")] == [attempt["pod"]], "the other one is gone"
    assert yard.run_of(attempt["runID"])["status"] == "FAILED"


def test_a_training_survives_the_death_of_the_leader(yard: Yard) -> None:
    run_id = start_sleeper(yard, seconds=15)
    system = ["--namespace", install.SYSTEM_NAMESPACE]
    kubectl = yard.site.kubectl
    holder = ["--output", "jsonpath={.items[0].spec.holderIdentity}"]
    leader = kubectl.run("get", "leases", *system, *holder)
    kubectl.run("delete", "pod", leader, *system, "--grace-period=0", "--force")
    killed_at = time.monotonic()

    def another_leads() -> bool:
        return kubectl.run("get", "leases", *system, *holder) not in ("", leader)

    yard.until(another_leads, "another replica leads", 60)
    print(f"another replica led {time.monotonic() - killed_at:.1f} s after the leader was killed")
    done = yard.wait("trainingjob", "sleeper", "Complete", 180)
    (attempt,) = done["status"]["attempts"]
    assert attempt["runID"] == run_id
    assert len(yard.items("jobs")) == 1
    assert yard.run_of(run_id)["status"] == "FINISHED"
    kubectl.run("rollout", "status", "deployment/modelyard", *system, "--timeout=120s")


def test_a_training_survives_the_restart_of_mlflow(yard: Yard) -> None:
    kubectl = yard.site.kubectl
    run_id = start_sleeper(yard, seconds=12, retry={"limit": 0}, model={"name": "none", "register": "Never"})
    # The model is missing on purpose: the verdict needs MLflow, so it can only be given once MLflow is back.
    kubectl.run("exec", *MLFLOW, "--", "/bin/sh", "-c", "kill 1")
    done = yard.wait("trainingjob", "sleeper", "Failed", 300)
    assert yard.condition("trainingjob", "sleeper", "Failed")["reason"] == "ModelMissing"
    (attempt,) = done["status"]["attempts"]
    assert attempt["runID"] == run_id
    assert attempt["reason"] == "Succeeded", "the pod's exit decides, whatever MLflow did meanwhile"
    kubectl.run("rollout", "status", *MLFLOW[2:], *MLFLOW[:2], "--timeout=120s")
    assert yard.run_of(run_id)["status"] == "FINISHED"
