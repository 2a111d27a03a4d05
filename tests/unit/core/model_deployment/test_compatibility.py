"""Whether a version may start, what is said of it, and that it is asked for once."""

import copy
from typing import Any

import pytest

from builders import NOW, make_card, make_context, make_model_deployment, make_serving_pod
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Open
from modelyard.core.model_card import Column, ModelCard, ReadModelCard, Signature
from modelyard.core.model_deployment.compatibility import check
from modelyard.core.model_deployment.draft import Draft, Refusal
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Failure, Manifest, Question
from modelyard.core.server_image import ServerImage
from modelyard.core.tracking import RegisteredVersion

WANTED = RegisteredVersion("digits", "2", "m-2", "run-2")
CARD, OLD_CARD = ReadModelCard("digits", "2"), ReadModelCard("digits", "1")
TOO_NEW = make_card(python="3.13.1")
RETYPED = make_card(signature=Signature((Column("x", "string"),), (Column("y", "long"),)))
AWAY = Failure("TrackingUnavailable", "MLflow does not answer")
UNREADABLE = Failure("ModelUnreadable", "MLmodel is not YAML", is_transient=False)


class Case:
    """A ModelDeployment whose alias moved to version 2, and what MLflow says of the versions."""

    def __init__(self, card: ModelCard | Failure | None = None, old: Any = None, **validation: str) -> None:
        self.status: dict[str, Any] = {"stable": {"version": "1"}} if old is not None else {}
        self.spec: dict[str, Any] = {"validation": validation}
        self.answers: dict[Question, Any] = {CARD: card, OLD_CARD: old}
        self.pods: tuple[Manifest, ...] = ()
        self.context = make_context()
        self.draft: Draft

    def check(self) -> Refusal | None:
        resource = make_model_deployment().with_spec(**self.spec).with_status(self.status).build()
        observed = Observed(self.context, pods=self.pods, answers=self.answers)
        self.draft = Draft(resource, ModelDeploymentSpec.model_validate(resource["spec"]), observed, NOW)
        return check(self.draft, WANTED)

    def again(self) -> Refusal | None:
        """Once more, with the status that came of it, and MLflow with nothing to say."""
        self.status = copy.deepcopy(self.draft.status) | {"conditions": self.draft.conditions.as_list()}
        self.answers = {}
        return self.check()

    @property
    def said(self) -> tuple[str, str]:
        found = self.draft.conditions.get("Compatible") or {}
        return found.get("status", ""), found.get("reason", "")

    @property
    def message(self) -> str:
        return str((self.draft.conditions.get("Compatible") or {})["message"])


CASES = [
    ("suits", Case(make_card(), make_card()), ("True", "Compatible"), None),
    ("the first version", Case(make_card()), ("True", "Compatible"), None),
    ("another Python", Case(TOO_NEW), ("False", "Incompatible"), True),
    ("another Python, warned", Case(TOO_NEW, compatibility="Warn"), ("False", "Incompatible"), None),
    ("another Python, ignored", Case(TOO_NEW, compatibility="Ignore"), ("True", "Compatible"), None),
    ("retyped", Case(RETYPED, make_card()), ("False", "SignatureChanged"), True),
    ("retyped, warned", Case(RETYPED, make_card(), signature="Warn"), ("False", "SignatureChanged"), None),
    ("retyped, ignored", Case(RETYPED, make_card(), signature="Ignore"), ("True", "Compatible"), None),
    ("no MLmodel", Case(None), ("Unknown", "ModelIncomplete"), None),
    ("an MLmodel that is none", Case(UNREADABLE), ("Unknown", "ModelUnreadable"), None),
    ("MLflow away", Case(AWAY), ("Unknown", "TrackingUnavailable"), False),
    ("MLflow away, warned", Case(AWAY, compatibility="Warn", signature="Warn"), ("Unknown", AWAY.reason), None),
    ("MLflow away at the second", Case(make_card(), AWAY), ("Unknown", "TrackingUnavailable"), False),
    ("the old one unreadable", Case(make_card(), UNREADABLE), ("True", "Compatible"), None),
]


@pytest.mark.parametrize(("case", "said", "is_final"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_said_and_whether_it_may_start(case: Case, said: tuple[str, str], is_final: bool | None) -> None:
    refusal = case.check()
    assert case.said == said
    assert (refusal.is_final if refusal else None) == is_final
    assert "version 2" in case.message


READ = [case for case in CASES if not case[0].startswith("MLflow away")]


@pytest.mark.parametrize("case", [case[1] for case in READ], ids=[case[0] for case in READ])
def test_files_are_read_once(case: Case) -> None:
    before, said = case.check(), case.said
    assert case.again() == before
    assert case.said == said


def test_an_answer_that_may_come_is_asked_for_again() -> None:
    case = Case(AWAY)
    case.check()
    with pytest.raises(Open):
        case.again()


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"server": {"image": "another:1"}}},
        {"spec": {"validation": {"compatibility": "Warn"}}},
        {"context": make_context(server_images=(ServerImage(image="*", python="3.13"),))},
        {"context": make_context(server_image="modelyard/model-server:next")},
    ],
    ids=["another image", "another policy", "another description", "another release"],
)
def test_what_the_verdict_depends_on_is_judged_anew(change: dict[str, Any]) -> None:
    case = Case(TOO_NEW)
    case.check()
    case.__dict__.update(change)
    with pytest.raises(Open):
        case.again()


def test_a_version_that_serves_is_not_read_again_for_the_one_before_it() -> None:
    case = Case(make_card(), make_card())
    case.check()
    case.draft.status["stable"] = {"version": "2"}
    assert case.again() is None


def test_a_change_that_was_let_through_is_forgotten_once_it_serves() -> None:
    case = Case(RETYPED, make_card(), signature="Warn")
    case.check()
    assert [event.reason for event in case.draft.events] == ["SignatureChanged"]
    case.draft.status["stable"] = {"version": "2"}
    with pytest.raises(Open):
        case.again()


def test_an_image_that_nobody_described_is_said_and_keeps_nothing_from_starting() -> None:
    case = Case(TOO_NEW)
    case.spec["server"] = {"image": "registry.example.org/ml/other:1"}
    assert case.check() is None
    assert case.said == ("Unknown", "ImageNotDescribed")
    assert "registry.example.org/ml/other:1" in case.message


def test_a_changed_signature_is_told_of_an_image_that_nobody_described_too() -> None:
    case = Case(RETYPED, make_card())
    case.spec["server"] = {"image": "registry.example.org/ml/other:1"}
    assert case.check() is not None
    assert case.said == ("False", "SignatureChanged")


def test_all_that_is_wrong_is_told_at_once_with_cures() -> None:
    case = Case(make_card(python="3.13.1", signature=RETYPED.signature), make_card())
    case.check()
    assert case.said == ("False", "Incompatible")
    for words in (
        "Python 3.13",
        "has 3.11",
        "input x was double and is string",
        "spec.server.image",
        "spec.validation",
    ):
        assert words in case.message


def test_the_reason_is_that_of_what_keeps_it_from_starting() -> None:
    case = Case(make_card(python="3.13.1", signature=RETYPED.signature), make_card(), compatibility="Warn")
    refusal = case.check()
    assert refusal is not None
    assert refusal.reason == "SignatureChanged"


def test_what_runs_already_is_not_stopped_by_a_check() -> None:
    case = Case(TOO_NEW)
    pod = make_serving_pod(make_model_deployment().build(), "2").changed(
        "spec", "containers", to=[{"name": "model", "image": case.context.server_image}]
    )
    case.pods = (pod.build(),)
    assert case.check() is None
    assert case.said == ("False", "Incompatible")
    case.pods = (pod.changed("spec", "containers", to=[{"name": "model", "image": "older:1"}]).build(),)
    assert case.check() is not None


def test_with_both_ignored_nothing_is_asked_and_nothing_said() -> None:
    case = Case(TOO_NEW)
    case.check()
    case.spec = {"validation": {"compatibility": "Ignore", "signature": "Ignore", "smokeTest": False}}
    assert case.again() is None
    assert case.said == ("", "")
    assert "checked" not in case.draft.status


def test_with_both_ignored_the_files_are_still_read_for_the_example() -> None:
    case = Case(make_card(python="3.13.1", example="serving_input_example.json"))
    case.spec = {"validation": {"compatibility": "Ignore", "signature": "Ignore"}}
    assert case.check() is None
    assert case.said == ("", "")
    assert case.draft.status["checked"]["example"] == "serving_input_example.json"
    assert case.again() is None
