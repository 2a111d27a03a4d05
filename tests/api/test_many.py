"""Many at once: a thousand objects that fail stay readable, and do not keep the others waiting."""

import json
import time
from collections import Counter

import pytest

from support.kube import path_of
from support.manifests import training_job
from support.training import Training
from support.world import World

pytestmark = [pytest.mark.api, pytest.mark.timeout(600)]

MANY = 1000
MOST_BYTES = 16 * 1024
ATTEMPTS = 12
LAST_WORDS = 'Traceback: File "train.py": KeyError: "数据" ' * 80
"""As much as a kubelet passes on."""


def test_a_thousand_that_fail_are_told_once_each_and_keep_nobody_waiting(
    world: World, request: pytest.FixtureRequest
) -> None:
    mark, started = world.audit.mark(), time.monotonic()
    for number in range(MANY):
        world.create(training_job(f"bad-{number}", podTemplate={"spec": {"hostNetwork": True}}))
    good = Training(world, "good")
    world.kubelet.succeed(good.start())
    good.until_over()
    seconds_between = time.monotonic() - started
    world.until(lambda: len(in_need(world)) == MANY, "each has said what is wrong with it", 120)
    print(f"\n{MANY} refused specs: {time.monotonic() - started:.0f} s; one that is good: {seconds_between:.0f} s")
    rows = {row["Name"]: (row["State"], row["Problem"]) for row in world.table("trainingjobs")}
    assert Counter(rows.values()) == {("InvalidSpec", "InvalidSpec"): MANY, ("Succeeded", None): 1}
    requests = Counter((item.verb, item.resource) for item in world.audit.since(mark, world.namespace))
    request.node.user_properties.append(("requests_of_a_thousand_failures", str(requests)))
    assert requests["create", "events"] <= MANY + 1
    assert requests["patch", "trainingjobs/status"] <= MANY + 3
    for number in range(MANY):
        world.delete("TrainingJob", f"bad-{number}")


def in_need(world: World) -> list[str]:
    """Names of those with a problem, as the API server selects them."""
    path = path_of("TrainingJob", world.namespace)
    found = world.kube.send("GET", path, query={"fieldSelector": "status.problem!="})
    return [item["metadata"]["name"] for item in found["items"]]


def test_a_status_stays_small_whatever_the_code_says_each_time(world: World) -> None:
    retry = {"limit": ATTEMPTS - 1, "backoff": {"initialSeconds": 0, "maxSeconds": 0}}
    training = Training(world, "x" * 50, retry=retry, tracking={"metrics": [f"{n}{'m' * 240}" for n in range(10)]})
    for attempt in range(1, ATTEMPTS + 1):
        pod = training.start(attempt)
        if attempt == ATTEMPTS:
            for metric in training.live["spec"]["tracking"]["metrics"]:
                world.tracking.log_metric(training.run_id(attempt), metric, -1.23456e-300)
        world.kubelet.fail(pod, exit_code=3, message=LAST_WORDS)
    training.until_over()
    size = len(json.dumps(training.status, ensure_ascii=False, separators=(",", ":")).encode())
    print(f"\nstatus after {ATTEMPTS} attempts: {size} bytes")
    assert len(training.status["metrics"]) == len(training.status["attempts"]) == 10
    assert size < MOST_BYTES
    told = Counter(event["reason"] for event in world.events_about(training.live))
    assert told == {"AttemptFailed": 1, "RetryLimitExceeded": 1}
