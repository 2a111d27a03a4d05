"""Versions that have an example are tried before they get traffic, wherever a crash falls and in either backend."""

from dataclasses import dataclass
from typing import Any

import pytest

import builders
from modelyard.api import names
from modelyard.core.model_card import ReadExample, ReadModelCard
from modelyard.core.plan import Failure, Question
from modelyard.core.serving import Predicted, TryServer
from properties.actions import BACKENDS, Action, alias
from properties.serving import AWAY, ServingWorld
from properties.world import Crasher, conditions_of

SILLY = "2"
"""A version that starts well, and answers nothing that is of use."""
REFUSED = Failure("SmokeTestFailed", "the server answered 500", is_transient=False)
SCENARIOS: dict[str, dict[int, Action]] = {
    "switches": {10: alias("4")},
    "switches to a silly version": {10: alias(SILLY)},
    "switches to a silly version and on": {10: alias(SILLY), 16: alias("4")},
    "switches back while it is tried": {10: alias("4"), 11: alias("1")},
}


@dataclass
class TryingWorld(ServingWorld):
    """Every version has an example."""

    def ask(self, question: Question) -> Any:
        if isinstance(question, ReadModelCard):
            return builders.make_card(example="serving_input_example.json")
        if isinstance(question, ReadExample):
            return question.version
        if isinstance(question, TryServer):
            service = question.url.removeprefix("http://").partition(".")[0]
            return self._tried(self.answering_versions(service))
        return super().ask(question)

    def _tried(self, answering: list[str]) -> Predicted | Failure:
        if not answering:
            return AWAY
        return REFUSED if SILLY in answering else Predicted()

    def check(self) -> None:
        super().check()
        stable = (
            pod for pod in self.api.of_kind("Pod") if pod["metadata"]["labels"][names.LABEL_PREDICTOR] == "stable"
        )
        versions = {pod["metadata"]["labels"][names.LABEL_MODEL_VERSION] for pod in stable}
        assert SILLY not in versions, "clients reach a version that did not pass"


def a_world(name: str, backend: str, crasher: Crasher | None = None) -> TryingWorld:
    deployment = builders.make_model_deployment().with_replicas(2).build()
    return TryingWorld(deployment, backend, actions=dict(SCENARIOS[name]), crasher=crasher or Crasher())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_version_that_does_not_pass_never_reaches_clients_wherever_a_crash_falls(name: str, backend: str) -> None:
    calm = a_world(name, backend).run()
    expected = calm.end_state()
    steps = [step for step, what in enumerate(calm.crasher.steps) if "before ask" not in what]
    for step in steps[:: max(1, len(steps) // 25)]:
        crashed = a_world(name, backend, Crasher(at=step)).run()
        assert crashed.end_state() == expected, f"after a crash {calm.crasher.steps[step]} (step {step})"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_last_version_that_passed_serves_in_the_end(name: str, backend: str) -> None:
    world = a_world(name, backend).run()
    meant = "1" if world.registry.alias == SILLY else world.registry.alias
    assert set(world.ready_versions()) == {meant}
    assert world.resource["status"]["stable"]["version"] == meant
    assert conditions_of(world.resource)["Ready"]["status"] == "True"
    assert "canary" not in world.resource["status"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_version_that_did_not_pass_is_remembered_and_not_tried_again(backend: str) -> None:
    world = a_world("switches to a silly version", backend).run()
    (refused,) = world.resource["status"]["refusedVersions"]
    assert (refused["version"], refused["reason"]) == (SILLY, "SmokeTestFailed")
    writes = list(world.api.writes)
    world.run(30)
    assert world.api.writes == writes
