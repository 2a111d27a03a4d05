"""What `helm test` runs, against a real API server; the test plays the operator."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.cluster import Cluster
from chart.rendering import CHART, NAMESPACE, Helm, is_test, of_kind

pytestmark = pytest.mark.chart

NAME = "modelyard-test"
RUN_ID = "0123456789abcdef0123456789abcdef"
SCRIPT = CHART / "files" / "helm_test.py"
WAIT_SECONDS = 30


class Test:
    """The test's pod as a process, with the rights of the pod's account."""

    __test__ = False

    def __init__(self, cluster: Cluster, manifest: Path) -> None:
        self.cluster = cluster
        self.manifest = manifest

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kubeconfig = self.cluster.control_plane.kubeconfig_for_service_account(NAMESPACE, NAME)
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), f"--manifest={self.manifest}", "--tracking-uri=http://mlflow", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"KUBECONFIG": str(kubeconfig)},
        )

    def answer(self, status: dict[str, Any], is_new_after: str = "") -> str:
        """Write a status as the operator would, into a TrainingJob that is not an earlier one's; returns its UID."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (uid := self.uid()) in ("", is_new_after):
            assert time.monotonic() < deadline, "the test made no TrainingJob"
            time.sleep(0.1)
        self.cluster.output(
            "patch", "trainingjob", NAME, "--namespace", NAMESPACE, "--subresource=status", "--type=merge",
            "--patch", json.dumps({"status": status}),
        )  # fmt: skip
        return uid

    def uid(self) -> str:
        """The TrainingJob's, empty when there is none."""
        return self.cluster.output(
            "get", "trainingjob", NAME, "--namespace", NAMESPACE,
            "--ignore-not-found", "--output=jsonpath={.metadata.uid}",
        )  # fmt: skip


def status(kind: str, reason: str, message: str, *, metric: str = "42") -> dict[str, Any]:
    now = "2026-01-01T00:00:00Z"
    state = {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}
    return {
        "conditions": [state | {"observedGeneration": 1}],
        "tracking": {"runID": RUN_ID},
        "metrics": [{"name": "answer", "value": metric, "step": 0}],
    }


@pytest.fixture
def helm_test(helm: Helm, cluster_with_kinds: Cluster, tmp_path: Path) -> Iterator[Test]:
    made = [each for each in helm.render("default") if is_test(each) and each["kind"] != "Pod"]
    text = yaml.safe_dump_all(made)
    cluster_with_kinds.apply(text)
    (manifest,) = [each["data"] for each in of_kind(made, "ConfigMap") if "trainingjob.json" in each["data"]]
    (tmp_path / "trainingjob.json").write_text(manifest["trainingjob.json"])
    yield Test(cluster_with_kinds, tmp_path / "trainingjob.json")
    cluster_with_kinds.output("delete", "-f", "-", stdin=text)
    cluster_with_kinds.output("delete", "trainingjob", NAME, "--namespace", NAMESPACE, "--ignore-not-found")


def test_it_passes_and_leaves_nothing_when_the_training_completes(helm_test: Test) -> None:
    process = helm_test.start()
    helm_test.answer(status("Complete", "Succeeded", "attempt 1 succeeded"))
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, said
    assert said.endswith(f"passed: MLflow run {RUN_ID}\n")
    assert helm_test.uid() == ""


def test_it_fails_with_the_conditions_and_leaves_the_training_when_that_fails(helm_test: Test) -> None:
    process = helm_test.start()
    uid = helm_test.answer(status("Failed", "RetryLimitExceeded", "exit code 1"))
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "Failed=True RetryLimitExceeded: exit code 1" in said
    assert f"kubectl describe trainingjob --namespace {NAMESPACE} {NAME}" in said
    assert helm_test.uid() == uid

    process = helm_test.start()
    helm_test.answer(status("Complete", "Succeeded", "attempt 1 succeeded"), is_new_after=uid)
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, said


def test_it_fails_at_once_where_the_operator_does_not_accept_the_training(helm_test: Test) -> None:
    process = helm_test.start()
    refused = status("Stalled", "InvalidSpec", "above the administrator's limit")
    helm_test.answer(refused | {"problem": "InvalidSpec"})
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "failed\n" in said
    assert "above the administrator's limit" in said


def test_it_fails_when_the_metric_did_not_arrive(helm_test: Test) -> None:
    process = helm_test.start()
    helm_test.answer(status("Complete", "Succeeded", "attempt 1 succeeded", metric="41"))
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "the run's metric `answer` should be 42" in said


def test_it_fails_in_time_when_nobody_answers(helm_test: Test) -> None:
    process = helm_test.start("--timeout-seconds=1")
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "is not complete after 1 s" in said
    assert "no conditions: is the operator running" in said


def test_it_fails_at_once_without_mlflow(helm_test: Test) -> None:
    process = helm_test.start("--tracking-uri=")
    said, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "mlflow.trackingUri is not set" in said
    assert helm_test.uid() == ""
