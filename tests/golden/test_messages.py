"""What is said of each spec that cannot work names the field and the cure; read the diff of it as a newcomer would."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import builders
from modelyard.core.model_deployment import observed as serving_observed
from modelyard.core.model_deployment import plan as serving_plan
from modelyard.core.plan import Manifest, Plan, Question
from modelyard.core.training_job import observed as training_observed
from modelyard.core.training_job import plan as training_plan
from support.invalid_specs import CHOSEN_BY_THE_ADMINISTRATOR, specs_of
from support.messages import Messages

CASES = [(kind, why, spec) for kind in ("TrainingJob", "ModelDeployment") for why, spec in specs_of(kind).items()]
CONTEXT = builders.make_context(training_pods=CHOSEN_BY_THE_ADMINISTRATOR, serving_pods=CHOSEN_BY_THE_ADMINISTRATOR)
CURES = r"remove|rename|correct|choose|use |set |lower|raise|write|name |give|add |put |must be|see |say "


@pytest.fixture(scope="module")
def messages(request: pytest.FixtureRequest) -> Iterator[Messages]:
    book = Messages("invalid", is_update=bool(request.config.getoption("--update-golden")))
    yield book
    book.keep()


def planned(resource: Manifest) -> Plan:
    """The plan for an object that was just applied; whatever it asks of others has no answer."""
    answers: dict[Question, Any] = {}
    if resource["kind"] == "TrainingJob":
        return training_plan.plan(resource, training_observed.Observed(CONTEXT, answers=answers), builders.NOW)
    return serving_plan.plan(resource, serving_observed.Observed(CONTEXT, True, answers=answers), builders.NOW)


@pytest.mark.parametrize(("kind", "why", "spec"), [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in CASES])
def test_a_spec_that_cannot_work_is_told_with_field_and_cure(
    messages: Messages, kind: str, why: str, spec: dict[str, Any]
) -> None:
    make = builders.make_training_job if kind == "TrainingJob" else builders.make_model_deployment
    plan = planned(make().with_spec(**spec).build())
    assert not plan.questions, "it is told before anybody else is asked"
    stated = {item["type"]: item for item in (plan.status or {})["conditions"]}
    assert stated["Stalled"]["reason"] == "InvalidSpec"
    said = stated["Stalled"]["message"]
    assert re.match(r"spec\.\w+", said)
    assert re.search(CURES, said), said
    messages.check(kind, why.partition(":")[0].split()[0], why, said)


def test_nothing_else_is_in_the_list(messages: Messages, request: pytest.FixtureRequest) -> None:
    if len(request.session.items) > len(CASES):
        messages.check_that_there_are_no_others()
