"""An alias is resolved once, here; what cannot be resolved never stops what serves."""

from typing import Any

import pytest

from builders import NOW, ModelDeploymentBuilder, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Open, Waiting
from modelyard.core.model_deployment import versions
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Failure, Question
from modelyard.core.tracking import GetVersion, RegisteredVersion, ResolveAlias

BY_ALIAS = ResolveAlias("digits", "champion")


def version(number: str, **fields: Any) -> RegisteredVersion:  # the fields' own
    return RegisteredVersion("digits", number, None, fields.pop("run_id", None), **fields)


def draft_of(builder: ModelDeploymentBuilder, answers: dict[Question, Any] | None = None) -> Draft:
    resource = builder.build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return Draft(resource, spec, Observed(make_context(), answers=answers or {}), NOW)


def test_an_alias_is_asked_for() -> None:
    with pytest.raises(Open) as open_:
        versions.desired(draft_of(make_model_deployment()))
    assert open_.value.question == BY_ALIAS


def test_a_version_is_asked_for_by_its_number() -> None:
    with pytest.raises(Open) as open_:
        versions.desired(draft_of(make_model_deployment().at_version("7")))
    assert open_.value.question == GetVersion("digits", "7")


@pytest.mark.parametrize(
    ("answer", "status", "reason", "desired"),
    [
        (version("2"), "True", "Resolved", "2"),
        (None, "False", "AliasNotFound", None),
        (Failure("TrackingUnavailable", "away"), "Unknown", "TrackingUnavailable", "1"),
    ],
)
def test_what_became_of_the_question_is_told(answer: Any, status: str, reason: str, desired: str | None) -> None:
    draft = draft_of(make_model_deployment().with_status({"desiredVersion": "1"}), {BY_ALIAS: answer})
    versions.desired(draft)
    told = draft.conditions.get("ModelResolved")
    assert told is not None
    assert (told["status"], told["reason"]) == (status, reason)
    assert draft.status.get("desiredVersion") == desired


@pytest.mark.parametrize(
    ("is_paused", "wanted", "applied", "served"),
    [
        (False, "2", None, "2"),
        (False, "2", "1", "2"),
        (False, None, "1", "1"),
        (True, "2", "1", "1"),
        (True, None, "1", "1"),
    ],
)
def test_what_is_served(is_paused: bool, wanted: str | None, applied: str | None, served: str) -> None:
    draft = draft_of(make_model_deployment().with_spec(paused=is_paused))
    assert versions.target(draft, version(wanted) if wanted else None, applied) == served


@pytest.mark.parametrize(
    ("is_paused", "wanted", "reason"), [(True, "2", "Paused"), (True, None, "Paused"), (False, None, "AwaitingVersion")]
)
def test_with_nothing_to_serve_it_waits(is_paused: bool, wanted: str | None, reason: str) -> None:
    draft = draft_of(make_model_deployment().with_spec(paused=is_paused))
    with pytest.raises(Waiting) as waiting:
        versions.target(draft, version(wanted) if wanted else None, None)
    assert waiting.value.reason == reason


def test_a_version_leads_back_to_its_run_and_training_job() -> None:
    found = version("2", run_id="run-9", tags=(("modelyard.io/namespace", "a"), ("modelyard.io/trainingjob", "digits")))
    item = versions.stable_item(draft_of(make_model_deployment()), "2", found)
    assert item == {"version": "2", "runID": "run-9", "trainingJob": "a/digits"}


@pytest.mark.parametrize("name", ["", "UPPER", "a/b", "a b", "x\n", "${x}"])
def test_a_training_jobs_name_from_the_registry_is_not_believed(name: str) -> None:
    tags = (("modelyard.io/namespace", "a"), ("modelyard.io/trainingjob", name))
    item = versions.stable_item(draft_of(make_model_deployment()), "2", version("2", tags=tags))
    assert item == {"version": "2"}


def test_what_is_known_of_a_version_stays_while_the_registry_is_away() -> None:
    stable = {"version": "1", "runID": "run-1", "since": "2026-01-01T00:00:00Z"}
    draft = draft_of(make_model_deployment().with_status({"stable": stable}))
    assert versions.stable_item(draft, "1", None) == stable
    assert versions.stable_item(draft, "2", None) == {"version": "2"}
