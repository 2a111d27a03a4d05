"""Serving on a real kubelet: what goes wrong with a new version never takes the old one away."""

import json
from typing import Any

import pytest

from support.yard import EXAMPLES, MLFLOW, Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

NOT_A_PYTHON_MODEL = """
import json, sys, urllib.request as u
run_id, name = sys.argv[1:]
def ask(path, body):
    request = u.Request("http://localhost:5000/api/2.0/mlflow/" + path, json.dumps(body).encode(),
                        {"Content-Type": "application/json"})
    return json.load(u.urlopen(request))
run = json.load(u.urlopen("http://localhost:5000/api/2.0/mlflow/runs/get?run_id=" + run_id))["run"]
source = run["info"]["artifact_uri"] + "/nothing-here"
made = ask("model-versions/create", {"name": name, "source": source, "run_id": run_id})
print(made["model_version"]["version"])
"""


@pytest.fixture
def serving(yard: Yard) -> Yard:
    """The digits of the second example, served."""
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.serves("digits", "digits-logistic")
    return yard


def stable(yard: Yard) -> str:
    version: str = yard.get("modeldeployment", "digits")["status"]["stable"]["version"]
    return version


def patch(yard: Yard, spec: dict[str, Any]) -> None:
    yard.kubectl("patch", "modeldeployment", "digits", "--type=merge", "--patch", json.dumps({"spec": spec}))


def reason(yard: Yard) -> str:
    return str(yard.condition("modeldeployment", "digits", "Ready").get("reason"))


def test_the_old_version_serves_on_whatever_is_wrong_with_the_new_one(serving: Yard) -> None:
    version = stable(serving)

    # An image that does not exist.
    patch(serving, {"server": {"image": "modelyard/no-such-server:1"}})
    serving.until(lambda: reason(serving) == "ImagePullFailed", "the missing image is told", 120)
    assert serving.condition("modeldeployment", "digits", "Ready")["status"] == "True"
    assert serving.predict("digits").version == version
    patch(serving, {"server": {"image": None}})
    serving.until(lambda: reason(serving) == "Serving", "it serves again once the image is put right", 180)

    # A version without a model.
    run_id = serving.get("modeldeployment", "digits")["status"]["stable"]["runID"]
    command = ["exec", *MLFLOW, "--", "python3", "-c", NOT_A_PYTHON_MODEL, run_id, "digits"]
    empty = serving.site.kubectl.run(*command).strip()
    patch(serving, {"model": {"alias": None, "version": empty}})
    serving.until(
        lambda: serving.condition("modeldeployment", "digits", "Degraded").get("status") == "True",
        "the empty version is told",
        180,
    )
    told = serving.condition("modeldeployment", "digits", "Degraded")
    assert told["reason"] in {"ModelIncomplete", "ModelNotFound"}, told
    assert empty in told["message"]
    assert serving.predict("digits").version == version
    patch(serving, {"model": {"alias": "champion", "version": None}})
    serving.until(lambda: reason(serving) == "Serving", "it serves again once the version is put right", 180)
    assert serving.predict("digits").version == version

    # Scaled as users scale.
    serving.kubectl("scale", "modeldeployment", "digits", "--replicas=2")
    serving.until(
        lambda: serving.get("modeldeployment", "digits")["status"].get("availableReplicas") == 2, "two pods serve", 240
    )
    assert reason(serving) == "Serving"
    pods = serving.items("pods", serving.get("modeldeployment", "digits")["status"]["selector"])
    assert len([pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]) == 2

    # Credentials and tokens stay out of the server.
    server = pods[0]["spec"]["containers"][0]
    assert not any(variable["name"].startswith("MLFLOW_TRACKING") for variable in server["env"])
    assert pods[0]["spec"]["automountServiceAccountToken"] is False

    # Deleting takes everything along.
    serving.kubectl("delete", "modeldeployment", "digits", "--timeout=60s")
    serving.until(
        lambda: not serving.items("seldondeployments.machinelearning.seldon.io,deployments,services"),
        "nothing is left",
        120,
    )
