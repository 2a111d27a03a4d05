"""What is read from the API server's writes of a canary."""

import pytest

from modelyard.api.model_deployment import ModelDeployment
from tools.bench.audit import Write
from tools.bench.canary import build_deployment, canary_weight, takeover
from tools.demo.screen import DemoError


@pytest.mark.parametrize(("weights", "expected"), [([100], 0), ([100, 0], 0), ([75, 25], 25)])
def test_the_canary_has_what_the_first_backend_has_not(weights: list[int], expected: int) -> None:
    backends = [{"name": f"service-{number}", "weight": weight} for number, weight in enumerate(weights)]

    assert canary_weight(Write(0.0, {"spec": {"rules": [{"backendRefs": backends}]}})) == expected


def told(at: float, version: str) -> Write:
    return Write(at, {"spec": {"template": {"metadata": {"labels": {"modelyard.io/model-version": version}}}}})


def test_the_takeover_begins_when_the_stable_pods_are_first_told_of_the_version() -> None:
    assert takeover([told(1.0, "1"), told(2.0, "2"), told(3.0, "2")], "2") == 2.0


def test_a_takeover_that_never_began_is_no_figure() -> None:
    with pytest.raises(DemoError, match="never told of version 2"):
        takeover([told(1.0, "1")], "2")


def test_the_measured_canary_is_one_that_the_api_takes() -> None:
    spec = ModelDeployment.model_validate(build_deployment("1")).spec

    assert [step.set_weight for step in spec.rollout.steps or [] if step.set_weight] == [10, 25, 50, 75, 90]
