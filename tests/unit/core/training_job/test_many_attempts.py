"""However often it is tried, and whatever its code says each time, a status stays small and Events stay few."""

import json
from collections import Counter
from typing import Any

import pytest

from builders import NOW, make_context, make_job, make_pod, make_training_job
from modelyard.core.plan import Manifest, Plan, Question
from modelyard.core.tracking import Ended, EndRun, EnsureRun, Metric, ReadMetrics, Run
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan

MOST_BYTES = 16 * 1024
ATTEMPTS = 10_000
NODE = "n" * 63
LONG_NAMES = [f"{number}-" + "m" * 248 for number in range(10)]
LOUD = {
    "ascii": 'Traceback: File "train.py", line 3: KeyError: \\"label\\" ' * 100,
    "wide": "数据没有标签 " * 500,
    "emoji": "🔥" * 2000,
}


def answer(question: Question) -> Any:
    if isinstance(question, EnsureRun):
        return Run("f" * 32, "1234567890")
    if isinstance(question, EndRun):
        return Ended("RUNNING")
    assert isinstance(question, ReadMetrics)
    return tuple(Metric(name, -1.23456e-300, 10**12) for name in question.names)


def settled(resource: Manifest, jobs: tuple[Manifest, ...] = (), pods: tuple[Manifest, ...] = ()) -> Plan:
    answers: dict[Question, Any] = {}
    while True:
        found = plan(resource, Observed(make_context(), jobs=jobs, pods=pods, answers=answers), NOW)
        if not found.questions:
            return found
        answers |= {question: answer(question) for question in found.questions}


def failing() -> Manifest:
    """A job whose names are as long as they may be."""
    resources = {"limits": {"memory": "1Gi"}}
    job = make_training_job("x" * 50).with_trainer(resources=resources).with_model("n" * 255).with_metrics(*LONG_NAMES)
    retry = {"limit": 100, "backoff": {"initialSeconds": 0}, "onOutOfMemory": {"maxMemory": "2Gi"}}
    return job.with_spec(retry=retry, source={"configMap": {"name": "code"}}).build()


def fail_once(resource: Manifest, words: str) -> list[Plan]:
    """One attempt, from its Job to its failure."""
    begun = settled(resource)
    [job] = begun.create
    number = int(job["metadata"]["labels"]["modelyard.io/attempt"])
    made = make_job(resource, number, "f" * 32).failed().build()
    pod = make_pod(resource, number).failed(3, words).changed("spec", "nodeName", to=NODE).build()
    failed = settled(resource, (made,), (pod,))
    assert failed.status is not None
    # Nobody may ask for more than a hundred retries; whoever resumes ten thousand times has as many attempts.
    resource["status"] = dict(failed.status) | {"failures": 1}
    return [begun, failed]


@pytest.mark.parametrize("words", LOUD.values(), ids=LOUD)
def test_a_status_stays_small_however_much_its_code_says(words: str) -> None:
    resource = failing()
    for _ in range(15):
        fail_once(resource, words)
    resource["spec"]["retry"]["limit"] = 0
    resource["status"]["failures"] = 0
    fail_once(resource, words)
    last = resource["status"]
    assert any(item["type"] == "Failed" for item in last["conditions"]), "with every condition that a failure has"
    assert len(last["attempts"]) == 10
    print(f"\n{size_of(last)} bytes")
    assert size_of(last) < MOST_BYTES


def test_after_ten_thousand_retries_a_status_is_as_small_and_a_failure_that_repeats_was_told_once() -> None:
    resource, told, sizes = failing(), Counter[str](), []
    resource["spec"]["tracking"].pop("metrics")
    for _ in range(ATTEMPTS):
        for made in fail_once(resource, "no such column"):
            told.update(event.reason for event in made.events)
        sizes.append(size_of(resource["status"]))
    assert resource["status"]["attempt"] == ATTEMPTS
    assert told == {"AttemptFailed": 1}
    assert max(sizes) < MOST_BYTES
    assert sizes[-1] - sizes[20] < 100, "only numbers have more digits"


def size_of(status: Manifest) -> int:
    """Bytes of the status as the API server keeps it."""
    return len(json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode())
