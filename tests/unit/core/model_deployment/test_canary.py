"""How far a canary has come along its steps."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.model_deployment import canary
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed

STEPS = [{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}, {"pause": {"seconds": 60}}, {"pause": {}}]


def draft_of(status: dict[str, Any] | None = None, after: float = 0, steps: list[Any] | None = None) -> Draft:
    rollout = {"strategy": "Canary", "steps": steps or STEPS}
    resource = make_model_deployment().with_spec(rollout=rollout).with_status(status or {}).build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return Draft(resource, spec, Observed(make_context()), NOW + timedelta(seconds=after))


def at(number: int) -> canary.Canary:
    found = canary.begin(draft_of(), "2")
    for _ in range(number - 1):
        found.next_step()
    return found


def test_it_begins_without_traffic() -> None:
    found = at(1)
    assert (found.weight, found.steps_weight, found.number, found.phase) == (0, 0, 1, "Stepping")


@pytest.mark.parametrize(("number", "weight"), [(1, 0), (2, 10), (3, 10), (4, 50), (5, 50), (6, 50)])
def test_its_share_is_that_of_the_last_weight_it_passed(number: int, weight: int) -> None:
    assert at(number).steps_weight == weight


def test_past_the_last_step_it_is_taken_up() -> None:
    assert [at(number).phase for number in (5, 6)] == ["Stepping", "Promoting"]


@pytest.mark.parametrize(("number", "words"), [(2, ["2", "2/2"]), (5, ["2/5"])])
def test_the_version_alone_ends_the_first_open_pause_only(number: int, words: list[str]) -> None:
    assert at(number).words_to_resume() == words


def test_a_pause_is_counted_in_less_than_seconds() -> None:
    draft = draft_of(after=0.75)
    canary.begin(draft, "2")
    later = canary.under_way(draft_of(draft.status, after=10.5))
    assert later is not None
    assert later.time_in_step() == timedelta(seconds=9.75)


def test_its_pods_are_waited_for_from_the_first_moment_they_were_missing() -> None:
    found = at(2)
    found.wait()
    later = canary.under_way(draft_of(found.draft.status, after=30))
    assert later is not None
    later.wait()
    assert later.waited() == timedelta(seconds=30)
    later.stop_waiting()
    assert later.waited() == timedelta(0)


@pytest.mark.parametrize(("steps", "number"), [(STEPS, 3), (STEPS[:4], 1), ([{"setWeight": 20}], 1)])
def test_other_steps_begin_anew(steps: list[Any], number: int) -> None:
    found = canary.under_way(draft_of(at(3).draft.status, steps=steps))
    assert found is not None
    found.begin_anew_with_other_steps()
    assert found.number == number
    assert found.weight == 0
