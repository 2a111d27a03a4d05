"""Predictions of a shadow and of what serves, compared: real model servers, a real gateway that copies requests."""

import json
import math
import random
from typing import Any

import pytest

from support.gateway_traffic import Client, Steady
from support.yard import EXAMPLES, Yard
from tools.demo.digits import Digit, load, request_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

NAME = "digits-compared"
PATH = f"/ml/{NAME}/v2/models/model/infer"
ASKED = 300


class Scribbler(Client):
    """Asks for digits that are hard to read, each another one."""

    def ask(self) -> str:
        """The version that answered."""
        return str(self.post(scribbled(1))["model_version"])


def scribbled(number: int) -> dict[str, Any]:
    """A request for digits on dirty paper."""

    def dirty(digit: Digit) -> Digit:
        return Digit(digit.label, tuple(min(16, max(0, grey + random.randint(-8, 8))) for grey in digit.pixels))

    return request_for([dirty(digit) for digit in random.choices(load(), k=number)])


def test_a_shadow_is_judged_by_how_often_it_really_predicts_otherwise(yard: Yard, envoy_gateway: str) -> None:
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.apply(EXAMPLES / "18-predictions-compared.yaml")
    first = yard.serves(NAME, "digits-logistic")
    yard.wait("modeldeployment", NAME, "TrafficSplit", 60)
    patch(yard, most="1", steps=[{"pause": {}}])
    with Steady(Scribbler(envoy_gateway, PATH)) as steady:
        yard.apply(EXAMPLES / "02-digits-seldon" / "2-next-version.yaml")
        yard.until(lambda: analysed(yard).get("result") == "Pass", "a check finds any share good enough", 300)
        real, told = really_differing(yard, Client(envoy_gateway, PATH)), analysed(yard)
        sigma = math.sqrt(real * (1 - real) * (1 / ASKED + 1 / told["samples"]))
        print(
            f"\n{100 * real:.1f} % of {ASKED} predictions really differ; told were {told['value']} of {told['samples']}"
        )
        assert 0.02 < real < 0.98, "digits that are hard enough, and not too hard"
        assert abs(float(told["value"]) - real) <= 4 * sigma

        patch(yard, most="0.001")
        yard.until(lambda: bool(status(yard).get("refusedVersions")), "it is refused once less is allowed", 60)
        yard.until(lambda: not status(yard).get("canary"), "and goes", 120)
    (refused,) = status(yard)["refusedVersions"]
    assert refused["reason"] == "AnalysisFailed"
    assert "predictions differ from the stable version's" in refused["message"]
    assert (set(steady.answers), steady.failures) == ({first}, [])


def patch(yard: Yard, *, most: str, **rollout: Any) -> None:
    """Another share that is allowed."""
    metric = {"name": "same", "builtin": "Disagreement", "max": most}
    change = {"spec": {"rollout": {"analysis": {"metrics": [metric]}} | rollout}}
    yard.kubectl("patch", "modeldeployment", NAME, "--type=merge", "--patch", json.dumps(change))


def status(yard: Yard) -> dict[str, Any]:
    found: dict[str, Any] = yard.get("modeldeployment", NAME)["status"]
    return found


def analysed(yard: Yard) -> dict[str, Any]:
    """What the last check found."""
    found: dict[str, Any] = (status(yard).get("analysis") or [{}])[0]
    return found


def really_differing(yard: Yard, stable: Client) -> float:
    """The share of predictions that both versions make otherwise, each of them asked by the test."""
    path = f"/api/v1/namespaces/{yard.namespace}/services/{NAME}-canary:9000/proxy/v2/models/model/infer"
    asked = scribbled(ASKED)
    told = yard.site.kubectl.run("create", "--raw", path, "--filename", "-", stdin=json.dumps(asked))
    pairs = zip(predictions(json.loads(told)), predictions(stable.post(asked)), strict=True)
    return sum(one != other for one, other in pairs) / ASKED


def predictions(answer: dict[str, Any]) -> list[int]:
    found: list[int] = answer["outputs"][0]["data"]
    return found
