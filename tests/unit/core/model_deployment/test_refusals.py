"""A version that failed stays refused until a person, an edit that may mend it, or time says otherwise."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, ModelDeploymentBuilder, make_context, make_model_deployment
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.model_deployment import refusals
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.pod_state import Trouble

BASE = make_model_deployment()


def draft_of(builder: ModelDeploymentBuilder, after_seconds: float = 0, **annotations: str) -> Draft:
    for name, value in annotations.items():
        builder = builder.changed("metadata", "annotations", f"modelyard.io/{name}", to=value)
    resource = builder.build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    return Draft(resource, spec, Observed(make_context()), NOW + timedelta(seconds=after_seconds))


def refused(builder: ModelDeploymentBuilder = BASE, reason: str = "ModelIncomplete", **annotations: str) -> list[Any]:
    """status.refusedVersions after version 2 failed."""
    draft = draft_of(builder, **annotations)
    refusals.refuse(draft, "2", Trouble(reason, "why"))
    return list(draft.status["refusedVersions"])


def again(builder: ModelDeploymentBuilder, entries: list[Any], after_seconds: float = 0, **annotations: str) -> Draft:
    return draft_of(builder.with_status({"refusedVersions": entries}), after_seconds, **annotations)


def test_only_what_failed_is_refused() -> None:
    draft = again(BASE, refused())
    assert refusals.refusal_of(draft, "2") is not None
    assert refusals.refusal_of(draft, "1") is None
    assert refusals.refusal_of(draft, None) is None


@pytest.mark.parametrize(
    ("edited", "is_refused"),
    [
        ({"replicas": 5}, True),
        ({"paused": True}, True),
        ({"model": {"name": "digits", "version": "2"}}, True),
        ({"revisionHistoryLimit": 3}, True),
        ({"server": {"image": "mended:1"}}, False),
        ({"podTemplate": {"metadata": {"labels": {"a": "b"}}}}, False),
        ({"progressDeadlineSeconds": 1200}, False),
        ({"rollout": {"strategy": "Canary", "steps": [{"setWeight": 10}]}}, False),
    ],
)
def test_an_edit_that_may_mend_it_allows_another_try(edited: dict[str, Any], is_refused: bool) -> None:
    found = refusals.refusal_of(again(BASE.with_spec(**edited), refused()), "2")
    assert (found is not None) is is_refused


@pytest.mark.parametrize(
    ("used", "value", "is_refused"),
    [
        (None, "2", False),
        (None, "3", True),
        ("2", "2", True),
        ("2", "2/again", False),
        ("2/again", "2/again", True),
        (None, "22", True),
    ],
)
def test_a_person_allows_one_more_try_with_each_new_value(used: str | None, value: str, is_refused: bool) -> None:
    entries = refused(**({"retry": used} if used else {}))
    assert (refusals.refusal_of(again(BASE, entries, retry=value), "2") is not None) is is_refused


@pytest.mark.parametrize(
    ("reason", "skips", "after", "is_refused"),
    [
        ("ModelIncomplete", True, 10_000, True),
        ("ModelIncomplete", False, 599, True),
        ("ModelIncomplete", False, 600, False),
        ("Aborted", False, 10_000, True),
    ],
)
def test_time_allows_another_try_only_where_spec_says_so(
    reason: str, skips: bool, after: float, is_refused: bool
) -> None:
    builder = BASE.with_spec(rollback={"skipFailedVersions": skips})
    draft = again(builder, refused(builder, reason), after)
    assert (refusals.refusal_of(draft, "2") is not None) is is_refused


def test_it_is_looked_at_again_when_the_time_has_come() -> None:
    builder = BASE.with_spec(rollback={"skipFailedVersions": False})
    draft = again(builder, refused(builder), 595)
    refusals.refusal_of(draft, "2")
    assert draft.recheck_after == 5


def test_what_is_told_stays_the_same_while_nothing_changes() -> None:
    entries = refused(retry="2")
    one, other = again(BASE, entries, 1, retry="2"), again(BASE, entries, 100, retry="2")
    [entry] = entries
    assert refusals.told(one, entry) == refusals.told(other, entry)
    assert "modelyard.io/retry=2/" in refusals.told(one, entry), "the value that was used would change nothing"


def test_only_the_newest_are_remembered() -> None:
    draft = draft_of(BASE)
    for version in range(1, 15):
        refusals.refuse(draft, str(version), Trouble("ModelIncomplete", "why"))
    refusals.refuse(draft, "7", Trouble("ModelNotFound", "gone"))
    told = [item["version"] for item in draft.status["refusedVersions"]]
    assert (len(told), told[-1], len(set(told))) == (10, "7", 10)


@pytest.mark.parametrize(("limit", "kept"), [(0, []), (2, ["4", "5"]), (10, ["1", "2", "3", "4", "5"])])
def test_the_history_is_as_long_as_spec_says(limit: int, kept: list[str]) -> None:
    draft = draft_of(BASE.with_spec(revisionHistoryLimit=limit))
    for version in range(1, 6):
        refusals.close(draft, str(version), "Promoted")
    assert [item["version"] for item in draft.status["history"]] == kept
