"""The operator itself, with the settings and the rights that the chart gives it; no pods and no MLflow."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from chart.cluster import Cluster
from chart.rendering import NAMESPACE, ROOT, Helm, is_test, of_kind, operator_environment
from tools.localcluster.ports import free_ports

pytestmark = pytest.mark.chart

WAIT_SECONDS = 60
USER = f"system:serviceaccount:{NAMESPACE}:modelyard"

OBJECTS = """
apiVersion: modelyard.io/v1alpha1
kind: TrainingJob
metadata: {name: tried-by-the-operator, namespace: team-a}
spec: {trainer: {command: [python3, -V]}}
---
apiVersion: modelyard.io/v1alpha1
kind: ModelDeployment
metadata: {name: tried-by-the-operator, namespace: team-a}
spec: {model: {name: digits, alias: champion}, backend: Deployment}
"""


@dataclass
class Operator:
    """The operator as a process of its own."""

    process: subprocess.Popen[bytes]
    ready_url: str
    log: Path

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(self.ready_url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def operator(helm: Helm, cluster: Cluster, values_set: str, log: Path) -> Iterator[Operator]:
    """The operator with the chart's variables, account and roles of a set of values."""
    objects = [each for each in helm.render(values_set) if not is_test(each)]
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    text = yaml.safe_dump_all([each for each in objects if each["kind"] in kinds])
    cluster.apply(text)
    account = of_kind(objects, "ServiceAccount")[0]["metadata"]["name"]
    probe_port, metrics_port = free_ports(2)
    environment = operator_environment(objects) | {
        "KUBECONFIG": str(cluster.control_plane.kubeconfig_for_service_account(NAMESPACE, account)),
        "MODELYARD_IDENTITY": f"operator-{values_set}",
        "MODELYARD_OPERATOR_NAMESPACE": NAMESPACE,
        "MODELYARD_TRACKING_URI": "http://127.0.0.1:9",
        "MODELYARD_PROBE_HOST": "127.0.0.1",
        "MODELYARD_PROBE_PORT": str(probe_port),
        "MODELYARD_METRICS_PORT": str(metrics_port),
        "PYTHONPATH": str(ROOT / "operator"),
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
    }
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "modelyard.main"], env=environment, stdout=out, stderr=out)
    try:
        yield Operator(process, f"http://127.0.0.1:{probe_port}/readyz", log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        cluster.output("delete", "-f", "-", stdin=text)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS} s for {what}"
        time.sleep(0.2)


def refused(cluster: Cluster) -> list[str]:
    """What the operator's account asked for and was not allowed."""
    with cluster.control_plane.audit_log.open() as lines:
        events = [json.loads(line) for line in lines]
    return [
        f"{event['verb']} {event['requestURI']}"
        for event in events
        if event["user"]["username"] == USER and event.get("responseStatus", {}).get("code") == 403
    ]


@pytest.mark.parametrize("values_set", ["default", "namespaced"])
def test_the_operator_is_refused_nothing_that_it_asks_for(
    helm: Helm, cluster_with_kinds: Cluster, values_set: str, tmp_path: Path
) -> None:
    cluster = cluster_with_kinds

    def has_status(kind: str) -> bool:
        path = "--output=jsonpath={.status.conditions[*].reason}"
        return bool(cluster.output("get", kind, "tried-by-the-operator", "--namespace=team-a", path))

    cluster.apply(OBJECTS)
    try:
        with operator(helm, cluster, values_set, tmp_path / "operator.log") as running:
            # What it is refused keeps it from going on: no need to wait for that then.
            wait_until(lambda: running.is_ready() or refused(cluster) != [], "the operator to be ready")
            assert refused(cluster) == []
            wait_until(lambda: has_status("trainingjob") and has_status("modeldeployment"), "a status")
        assert running.process.returncode == 0, running.log.read_text()[-3000:]
    finally:
        cluster.output("delete", "-f", "-", stdin=OBJECTS)
    assert refused(cluster) == []
