"""Trainings whose pods the cluster takes away, and one that is stopped half-way: each goes on, as no failure."""

import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from support.trainings import SLEEPER, code, training_job
from support.yard import EXAMPLES, Yard
from tools.localcluster.node import NODE_NAME
from tools.localcluster.paths import current_state
from tools.localcluster.processes import ProcessFolder

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NO_RETRY = {"limit": 0, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
SEAT = "tests.modelyard.io/seat"
"""A resource that the node is said to have one of: who has it can be preempted, and nobody else is."""
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
LONG_AT_FIRST = """
import os, time, mlflow
with mlflow.start_run():
    print("training", flush=True)
    time.sleep(300 if os.environ["MODELYARD_ATTEMPT"] == "1" else 1)
"""
SUSPENSION = '{{"spec":{{"suspend":{}}}}}'


@pytest.fixture
def seat(yard: Yard) -> Iterator[dict[str, Any]]:
    """Resources of the only pod that fits on the node."""
    path = f"/status/capacity/{SEAT.replace('/', '~1')}"

    def patch(operation: dict[str, str]) -> None:
        options = ["--subresource=status", "--type=json", "--patch", json.dumps([operation | {"path": path}])]
        yard.site.kubectl.run("patch", "node", NODE_NAME, *options)

    def is_there() -> bool:
        node = json.loads(yard.site.kubectl.run("get", "node", NODE_NAME, "--output", "json"))
        return bool(node["status"]["allocatable"].get(SEAT) == "1")

    patch({"op": "add", "value": "1"})
    try:
        yard.until(is_there, "the node has a seat", 60)
        yield {"limits": {SEAT: "1"}, "requests": {SEAT: "1"}}
    finally:
        patch({"op": "remove"})


@pytest.fixture
def urgent(yard: Yard) -> Iterator[str]:
    """A PriorityClass above all others that trainings have here."""
    name = yard.namespace
    manifest = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": 1000,
    }
    yard.site.kubectl.run("create", "--filename", "-", stdin=json.dumps(manifest))
    yield name
    yard.site.kubectl.run("delete", "priorityclass", name)


@pytest.fixture
def freeze_the_kubelet(yard: Yard) -> Iterator[Callable[[signal.Signals], None]]:
    """Stops the node's agent, as a crash would; whatever happens, it goes on afterwards and the node is ready."""
    processes = ProcessFolder(current_state().pids, current_state().logs)

    def send(number: signal.Signals) -> None:
        processes.send("kubelet", number)

    yield send
    send(signal.SIGCONT)
    yard.until(lambda: node_is_ready(yard), "the node is ready again", 120)
    deployments = ["deployment", "--all", "--all-namespaces", "--for=condition=Available", "--timeout=120s"]
    yard.site.kubectl.run("wait", *deployments)


def node_is_ready(yard: Yard) -> bool:
    node = json.loads(yard.site.kubectl.run("get", "node", NODE_NAME, "--output", "json"))
    conditions = {item["type"]: item["status"] for item in node["status"]["conditions"]}
    return conditions["Ready"] == "True" and not node["spec"].get("taints")


def test_a_training_that_is_suspended_half_way_goes_on_from_its_step(yard: Yard) -> None:
    [claim, script, job] = yaml.safe_load_all((EXAMPLES / "07-checkpoint.yaml").read_text())
    short, long = "time.sleep(0.2)", "time.sleep(0.5)"
    assert short in script["data"]["train.py"]
    script["data"]["train.py"] = script["data"]["train.py"].replace(short, long)
    job["spec"]["trainer"]["resources"] = {"requests": {"memory": "256Mi"}, "limits": {"memory": "768Mi"}}
    del job["spec"]["retry"]["onOutOfMemory"]
    job["spec"]["retry"] = NO_RETRY
    yard.apply([claim, script, job])

    def steps() -> list[int]:
        run_id = (yard.get("trainingjob", "checkpoint").get("status") or {}).get("tracking", {}).get("runID")
        return [point["step"] for point in yard.history_of(run_id, "loss")] if run_id else []

    yard.until(lambda: len(steps()) >= 10, "it is under way", 180)
    yard.kubectl("patch", "trainingjob", "checkpoint", "--type=merge", "--patch", SUSPENSION.format("true"))
    stopped = yard.wait("trainingjob", "checkpoint", "Suspended", 90)
    run_id = stopped["status"]["tracking"]["runID"]
    until_then = steps()
    assert until_then == list(range(1, len(until_then) + 1))
    assert len(until_then) < 30, "it was stopped half-way"
    assert yard.run_of(run_id)["status"] == "KILLED"
    yard.kubectl("patch", "trainingjob", "checkpoint", "--type=merge", "--patch", SUSPENSION.format("false"))
    done = yard.wait("trainingjob", "checkpoint", "Complete", 180)
    second, first = done["status"]["attempts"]
    assert (first["reason"], second["reason"]) == ("Suspended", "Succeeded")
    assert first["runID"] == second["runID"] == run_id
    assert "failures" not in done["status"]
    said = yard.kubectl("logs", f"job/{second['job']}", "--container", "trainer")
    begun = int(said.partition("attempt 2 begins after step ")[2].split()[0])
    assert len(until_then) <= begun <= len(until_then) + 1, "a step may have been saved and not logged"
    assert steps() == list(range(1, 31)), "every step once, in order"
    assert yard.run_of(run_id)["status"] == "FINISHED"


def test_a_training_that_is_preempted_begins_again_when_there_is_room(
    yard: Yard, seat: dict[str, Any], urgent: str
) -> None:
    quick = {"spec": {"terminationGracePeriodSeconds": 1}}
    train(yard, trainer={"resources": seat}, retry=NO_RETRY, podTemplate=quick)
    template = {"spec": {"priorityClassName": urgent}}
    yard.apply(
        [
            code("urgent", SLEEPER.format(seconds=1)),
            training_job("urgent", trainer={"resources": seat}, retry=NO_RETRY, podTemplate=template),
        ]
    )
    yard.wait("trainingjob", "urgent", "Complete", 180)
    done = yard.wait("trainingjob", "long", "Complete", 180)
    it_went_on_after(yard, done, "Preempted")


def test_a_training_whose_node_is_lost_begins_again_when_there_is_one(
    yard: Yard, freeze_the_kubelet: Callable[[signal.Signals], None]
) -> None:
    # Not 0: a node that is back is given pods a moment before it is said to be reachable.
    soon = UNREACHABLE | {"tolerationSeconds": 5}
    train(yard, retry=NO_RETRY, podTemplate={"spec": {"tolerations": [soon], "terminationGracePeriodSeconds": 1}})
    freeze_the_kubelet(signal.SIGSTOP)

    def is_told() -> bool:
        [attempt] = yard.get("trainingjob", "long")["status"]["attempts"]
        return bool(attempt.get("ending") == "NodeLost")

    yard.until(is_told, "the node is given up, and the training says so", 150)
    assert yard.get("trainingjob", "long")["status"]["problem"] == "NodeLost"
    freeze_the_kubelet(signal.SIGCONT)
    done = yard.wait("trainingjob", "long", "Complete", 240)
    it_went_on_after(yard, done, "NodeLost")


def train(yard: Yard, **spec: Any) -> None:
    """A training whose first attempt does not end by itself, running."""
    yard.apply([code("long", LONG_AT_FIRST), training_job("long", **spec)])
    yard.until(lambda: yard.condition("trainingjob", "long", "Complete").get("reason") == "Running", "it runs", 180)


def it_went_on_after(yard: Yard, done: dict[str, Any], reason: str) -> None:
    """Its first attempt ended for this reason, which was no failure; the second succeeded."""
    second, first = done["status"]["attempts"]
    assert (first["reason"], second["reason"]) == (reason, "Succeeded")
    assert done["status"]["disruptions"] == 1
    assert "failures" not in done["status"]
    killed = yard.run_of(first["runID"])
    assert (killed["status"], killed["tags"]["modelyard.io/reason"]) == ("KILLED", reason)
    assert yard.run_of(second["runID"])["status"] == "FINISHED"
