"""Ends that only a kubelet can give: memory, exit codes, a SIGTERM with time to save, an eviction."""

import json

import pytest

from support.trainings import code, start_sleeper, training_job
from support.yard import Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

AT_ONCE = {"initialSeconds": 0, "maxSeconds": 0}

NEEDS_400_MEBIBYTES = """
import mlflow
with mlflow.start_run():
    mlflow.log_metric("begun", 1)
    data = bytearray(400 * 1024 * 1024)
    mlflow.log_metric("bytes", len(data))
"""

KNOWS_BETTER = """
import sys, mlflow
with mlflow.start_run():
    print("no such column: label", file=sys.stderr)
    sys.exit(78)
"""

SAVES = """
import os, signal, sys, time, mlflow

def save(*_):
    time.sleep(5)  # longer than nothing, shorter than the grace period
    mlflow.set_tag("saved", "attempt " + os.environ["MODELYARD_ATTEMPT"])
    sys.exit(1)

signal.signal(signal.SIGTERM, save)
mlflow.start_run()
if os.environ["MODELYARD_ATTEMPT"] == "1":
    mlflow.set_tag("begun", "yes")
    time.sleep(300)
"""


def test_a_training_that_runs_out_of_memory_gets_more_and_succeeds(yard: Yard) -> None:
    resources = {"limits": {"memory": "256Mi"}, "requests": {"memory": "64Mi"}}
    retry = {"limit": 2, "backoff": AT_ONCE, "onOutOfMemory": {"memoryFactor": "4", "maxMemory": "1Gi"}}
    job = training_job("hungry", trainer={"resources": resources}, retry=retry)
    yard.apply([code("hungry", NEEDS_400_MEBIBYTES), job])
    done = yard.wait("trainingjob", "hungry", "Complete")
    second, first = done["status"]["attempts"]
    assert (first["reason"], first["memory"]) == ("OOMKilled", "256Mi")
    assert (second["reason"], second["memory"]) == ("Succeeded", "1Gi")
    assert [yard.run_of(item["runID"])["status"] for item in (first, second)] == ["FAILED", "FINISHED"]


def test_an_exit_code_that_is_final_and_a_command_that_is_not_there(yard: Yard) -> None:
    final = training_job("final", retry={"limit": 5, "backoff": AT_ONCE, "nonRetryableExitCodes": [78]})
    missing = training_job("missing", trainer={"command": ["no-such-program"]}, retry={"limit": 0})
    yard.apply([code("final", KNOWS_BETTER), code("missing", "pass"), final, missing])
    done = yard.wait("trainingjob", "final", "Failed")
    [attempt] = done["status"]["attempts"]
    assert (attempt["reason"], attempt["exitCode"]) == ("Error", 78)
    assert "no such column: label" in attempt["message"]
    assert yard.condition("trainingjob", "final", "Failed")["reason"] == "NonRetryableExitCode"
    done = yard.wait("trainingjob", "missing", "Failed")
    assert done["status"]["attempts"][0]["reason"] == "ConfigError"
    assert "no-such-program" in done["status"]["attempts"][0]["message"]


def test_a_suspended_training_has_its_grace_period_to_save(yard: Yard) -> None:
    template = {"spec": {"terminationGracePeriodSeconds": 60}}
    yard.apply([code("saver", SAVES), training_job("saver", podTemplate=template, retry={"limit": 0})])

    def first_run() -> str:
        attempts = (yard.get("trainingjob", "saver").get("status") or {}).get("attempts") or [{}]
        return str(attempts[-1].get("runID", ""))

    yard.until(lambda: bool(first_run()) and "begun" in yard.run_of(first_run())["tags"], "it trains", 180)
    yard.kubectl("patch", "trainingjob", "saver", "--type=merge", "--patch", '{"spec":{"suspend":true}}')
    yard.wait("trainingjob", "saver", "Suspended", 90)
    run = yard.run_of(first_run())
    assert run["tags"]["saved"] == "attempt 1", "it had time to save"
    assert run["status"] == "KILLED", "whatever its client said at its exit"
    yard.kubectl("patch", "trainingjob", "saver", "--type=merge", "--patch", '{"spec":{"suspend":false}}')
    done = yard.wait("trainingjob", "saver", "Complete", 180)
    assert [item["reason"] for item in done["status"]["attempts"]] == ["Succeeded", "Suspended"]


def test_a_pod_that_is_evicted_is_no_failure_of_its_training(yard: Yard) -> None:
    start_sleeper(yard, seconds=20, retry={"limit": 0, "backoff": AT_ONCE})
    [pod] = yard.items("pods")
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": yard.namespace}}
    path = f"/api/v1/namespaces/{yard.namespace}/pods/{name}/eviction"
    yard.site.kubectl.run("create", "--raw", path, "--filename", "-", stdin=json.dumps(eviction))
    done = yard.wait("trainingjob", "sleeper", "Complete", 240)
    assert [item["reason"] for item in done["status"]["attempts"]] == ["Succeeded", "Evicted"]
    assert done["status"]["disruptions"] == 1
    assert "failures" not in done["status"]
