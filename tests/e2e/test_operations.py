"""Running the operator: its own test, an upgrade under load, what it costs at rest."""

import json
import re
import time

import pytest

from support.trainings import start_sleeper
from support.yard import Yard
from tools.demo import install
from tools.demo.screen import Screen

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SYSTEM = ("--namespace", install.SYSTEM_NAMESPACE)
REST_SECONDS = 20


def samples(yard: Yard, pod: str) -> dict[str, float]:
    """What a replica tells Prometheus."""
    path = f"/api/v1/namespaces/{install.SYSTEM_NAMESPACE}/pods/{pod}:8081/proxy/metrics"
    text = yard.site.kubectl.run("get", "--raw", path)
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


def replicas(yard: Yard) -> list[str]:
    selector = ["--selector", "app.kubernetes.io/component=operator"]
    names = yard.site.kubectl.run("get", "pods", *SYSTEM, *selector, "--output", "jsonpath={.items[*].metadata.name}")
    return names.split()


def test_helm_test_runs_a_training_from_end_to_end(yard: Yard) -> None:
    install.run_helm(yard.site, ["test", install.RELEASE, *SYSTEM, "--timeout", "5m"])


def test_an_upgrade_leaves_a_running_training_alone(yard: Yard) -> None:
    run_id = start_sleeper(yard, seconds=45)
    pods = {pod["metadata"]["uid"] for pod in yard.items("pods")}
    values = install.values(yard.site.images) | {"logLevel": "DEBUG"}
    chart = str(install.CHART)
    command = ["upgrade", install.RELEASE, chart, *SYSTEM, "--values", "-", "--wait", "--timeout", "240s"]
    install.run_helm(yard.site, command, json.dumps(values))
    done = yard.wait("trainingjob", "sleeper", "Complete", 180)
    assert [attempt["runID"] for attempt in done["status"]["attempts"]] == [run_id]
    assert {pod["metadata"]["uid"] for pod in yard.items("pods")} == pods
    install.install_operator(yard.site, Screen())


def test_the_operator_is_small_at_rest(yard: Yard) -> None:
    before = {pod: samples(yard, pod) for pod in replicas(yard)}
    time.sleep(REST_SECONDS)
    after = {pod: samples(yard, pod) for pod in replicas(yard)}
    leaders = sum(sample['leader_election_master_status{name="modelyard"}'] for sample in after.values())
    assert leaders == 1
    for pod, sample in after.items():
        memory_mib = sample["process_resident_memory_bytes"] / 2**20
        cpu = (sample["process_cpu_seconds_total"] - before[pod]["process_cpu_seconds_total"]) / REST_SECONDS
        print(f"operator at rest: {memory_mib:.0f} MiB, {cpu * 1000:.1f} ms of CPU a second")
        assert memory_mib < 300
        assert cpu < 0.1


def test_no_run_of_this_cluster_is_left_open(yard: Yard) -> None:
    yard.until(lambda: not yard.runs_still_open(), "every run has ended", 60)
