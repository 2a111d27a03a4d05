"""Canaries on a real node, under steady requests: both versions answer meanwhile, and no request fails."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.yard import EXAMPLES, Yard
from tools.demo.digits import load, request_for
from tools.demo.traffic import Counts, Trickle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@pytest.fixture
def trickle(yard: Yard) -> Iterator[Trickle]:
    pod = Trickle(yard.site.kubectl, yard.namespace, yard.site.images["model-server"], request_for(load()))
    yield pod
    pod.stop()


def canary(yard: Yard, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (yard.get("modeldeployment", name)["status"]).get("canary") or {}
    return found


def counted(trickle: Trickle) -> Counts:
    found = trickle.counts()
    assert found is not None
    return found


def test_a_canary_is_taken_up_by_steps_and_another_by_a_person(yard: Yard, trickle: Trickle) -> None:
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    for example in ("13-canary.yaml", "14-canary-with-approval.yaml"):
        yard.apply(EXAMPLES / example)
    first = yard.serves("digits-steps", "digits-logistic")
    yard.serves("digits-approved", "digits-logistic")
    trickle.start(yard.get("modeldeployment", "digits-steps")["status"]["url"])

    yard.apply(EXAMPLES / "02-digits-seldon" / "2-next-version.yaml")
    yard.until(lambda: canary(yard, "digits-steps").get("weight") == 50, "half of the traffic goes to the canary", 300)
    assert yard.get("modeldeployment", "digits-steps")["status"]["stable"]["version"] == first
    second = yard.serves("digits-steps", "digits-svm")
    yard.until(lambda: not canary(yard, "digits-steps"), "the canary is gone", 120)
    yard.until(lambda: counted(trickle).has_settled_on(second, 3), "only the new version answers", 60)
    counts = counted(trickle)
    assert (counts.failures, counts.errors) == (0, ())
    assert min(counts.answers[first], counts.answers[second]) > 20
    print(counts)

    def is_waiting() -> bool:
        return yard.condition("modeldeployment", "digits-approved", "Ready").get("reason") == "AwaitingResume"

    yard.until(is_waiting, "the other waits for a person", 300)
    assert yard.get("modeldeployment", "digits-approved")["status"]["stable"]["version"] == first
    yard.kubectl("annotate", "modeldeployment", "digits-approved", f"modelyard.io/resume={second}")
    assert yard.serves("digits-approved", "digits-svm") == second
