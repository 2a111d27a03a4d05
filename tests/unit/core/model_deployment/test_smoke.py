"""The smoke request: what passes, what is refused, and what is asked again."""

from typing import Any

import pytest

from builders import NOW, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.model_card import ReadExample
from modelyard.core.model_deployment import smoke
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Failure
from modelyard.core.serving import NoSuchRequest, Predicted, TryServer

URL, BODY = "http://digits-canary.team-a:9000", '{"inputs": [[1]]}'
EXAMPLE, REQUEST = ReadExample("digits", "2", "serving_input_example.json"), TryServer(URL, BODY)
CHECKED = {"version": "2", "digest": "d", "verdict": "Passed", "example": EXAMPLE.path}
REFUSED = Failure("SmokeTestFailed", "the server answered 500: boom", is_transient=False)
AWAY = Failure("TrackingUnavailable", "MLflow does not answer")
TOO_LARGE = Failure("ModelUnreadable", "it has more than 1 MiB", is_transient=False)


def draft_of(checked: dict[str, Any], answers: dict[Any, Any], **validation: bool) -> Draft:
    resource = make_model_deployment().with_spec(validation=validation).with_status({"checked": checked}).build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return Draft(resource, spec, Observed(make_context(), answers=answers), NOW)


@pytest.mark.parametrize(
    ("example", "answer", "remembered"),
    [
        (BODY, Predicted(), "Passed"),
        (BODY, NoSuchRequest(), "Skipped"),
        (None, None, "Skipped"),
        (TOO_LARGE, None, "Skipped"),
    ],
)
def test_what_passes_is_remembered(example: Any, answer: Any, remembered: str) -> None:
    draft = draft_of(CHECKED, {EXAMPLE: example, REQUEST: answer})
    assert smoke.trouble_with(draft, URL, "2") is None
    assert draft.status["checked"]["smokeTest"] == remembered


def test_what_the_server_refuses_is_told_in_its_words() -> None:
    draft = draft_of(CHECKED, {EXAMPLE: BODY, REQUEST: REFUSED})
    found = smoke.trouble_with(draft, URL, "2")
    assert found is not None
    assert (found.reason, found.message) == ("SmokeTestFailed", REFUSED.message)
    assert "smokeTest" not in draft.status["checked"]


@pytest.mark.parametrize("answers", [{EXAMPLE: AWAY}, {EXAMPLE: BODY, REQUEST: AWAY}], ids=["MLflow", "server"])
def test_what_does_not_answer_is_asked_again(answers: dict[Any, Any]) -> None:
    with pytest.raises(smoke.Unanswered, match="does not answer"):
        smoke.trouble_with(draft_of(CHECKED, answers), URL, "2")


@pytest.mark.parametrize(
    ("checked", "version", "validation"),
    [
        (CHECKED | {"smokeTest": "Passed"}, "2", {}),
        ({"version": "2", "digest": "d", "verdict": "Passed"}, "2", {}),
        (CHECKED, "3", {}),
        ({}, "2", {}),
        (CHECKED, "2", {"smokeTest": False}),
    ],
    ids=["passed before", "no example", "another version", "not looked at", "not wanted"],
)
def test_nothing_is_asked_where_there_is_nothing_to_try(
    checked: dict[str, Any], version: str, validation: dict[str, bool]
) -> None:
    assert smoke.trouble_with(draft_of(checked, {}, **validation), URL, version) is None
