"""When a canary is looked at, what is asked then, and what keeps it at its share."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

import builders
from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import clock
from modelyard.core.disagreement import CompareAnswers, Compared
from modelyard.core.errors import Open
from modelyard.core.model_deployment import monitoring
from modelyard.core.model_deployment.backend import PredictorState, Servers
from modelyard.core.model_deployment.canary import Canary
from modelyard.core.model_deployment.deployment import DeploymentBackend
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.scene import Scene
from modelyard.core.plan import Failure, Question
from modelyard.core.pod_state import Trouble
from modelyard.core.traffic import MeasureTraffic, QueryPrometheus, Traffic

ERRORS = {"name": "errors", "builtin": "ErrorRate", "max": "0.01"}
STEPS = [{"setWeight": 10}, {"pause": {"seconds": 60}}, {"setWeight": 50}]
GOOD, BAD = Traffic(200, 0, 0.1, 15), Traffic(200, 100, 0.1, 15)
NOTHING = Traffic(0, 0, None, 15)
ALIKE = Compared(200, 0, 15)


def pod(name: str, version: str, **metadata: Any) -> dict[str, Any]:
    labels = {names.LABEL_MODEL_VERSION: version}
    about = {"name": name, "namespace": builders.NAMESPACE, "uid": f"uid-{name}", "labels": labels}
    return {"metadata": about | metadata, "status": {"phase": "Running", "podIP": f"10.0.0.{len(name)}"}}


PODS = (pod("a", "1"), pod("bb", "2"), pod("ccc", "2", deletionTimestamp="2026-01-05T12:00:00Z"), pod("dddd", "3"))


@dataclass
class Story:
    """A canary that is decided about again and again, its status kept in between."""

    analysis: dict[str, Any]
    weight: int = 10
    canary_traffic: Any = GOOD
    stable_traffic: Any = GOOD
    number: Any = 0.1
    compared: Any = ALIKE
    now: datetime = builders.NOW
    status: dict[str, Any] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)
    recheck_after: float | None = None

    def __post_init__(self) -> None:
        began = clock.to_text(self.now)
        canary = {"version": "2", "phase": "Stepping", "step": 2, "stepStartedAt": began, "startedAt": began}
        self.status = {"canary": canary, "stable": {"version": "1"}, "analysis": [{"name": "of a former rollout"}]}

    def look(self, after: float = 0) -> Trouble | None:
        """One decision, this much later."""
        self.now += timedelta(seconds=after)
        self.asked = []
        answers: dict[Question, Any] = {}
        while True:
            scene, canary = self.scene(answers)
            try:
                found = monitoring.what_failed(scene, canary)
            except Open as open_:
                self.asked += open_.questions
                answers |= {question: self._answer(question) for question in open_.questions}
                continue
            self.status, self.recheck_after = scene.draft.status, scene.draft.recheck_after
            return found

    def scene(self, answers: dict[Question, Any]) -> tuple[Scene, Canary]:
        is_shadow = any(metric.get("builtin") == "Disagreement" for metric in self.analysis["metrics"])
        rollout = {"strategy": "Shadow" if is_shadow else "Canary", "steps": STEPS, "analysis": self.analysis}
        self.status["canary"] |= {"weight": self.weight, "step": {0: 1, 10: 2, 50: 4}[self.weight]}
        resource = builders.make_model_deployment().with_spec(rollout=rollout).build() | {"status": self.status}
        spec = ModelDeploymentSpec.model_validate(resource["spec"])
        draft = Draft(resource, spec, Observed(builders.make_context(), pods=PODS, answers=answers), self.now)
        draft.recheck_after = None
        return Scene(draft, DeploymentBackend(), Servers(PredictorState()), None), Canary(draft)

    def awaited(self) -> tuple[str | None, bool]:
        scene, canary = self.scene({})
        awaited = monitoring.what_is_awaited(scene, canary)
        found = awaited, monitoring.hold(scene, canary) if awaited else False
        self.status = scene.draft.status
        return found

    def _answer(self, question: Question) -> Any:
        if isinstance(question, QueryPrometheus):
            return self.number
        if isinstance(question, CompareAnswers):
            return self.compared
        assert isinstance(question, MeasureTraffic)
        return self.canary_traffic if question.pods[0].name == "bb" else self.stable_traffic


def a_story(*metrics: dict[str, Any], **fields: Any) -> Story:
    weight = fields.pop("weight", 10)
    return Story({"intervalSeconds": 15, "metrics": list(metrics or (ERRORS,)), **fields}, weight)


def test_the_first_look_begins_the_window_and_tells_nothing() -> None:
    story = a_story()
    story.canary_traffic = BAD
    assert story.look() is None
    assert "analysis" not in story.status, "what an earlier rollout left is gone"
    assert story.recheck_after == 15


def test_a_canary_without_traffic_is_not_looked_at() -> None:
    story = a_story(weight=0)
    assert story.look() is None
    assert (story.asked, story.recheck_after) == ([], None)
    assert story.awaited() == (None, False)


def test_a_check_comes_once_in_an_interval_however_often_it_is_decided() -> None:
    story = a_story()
    story.look()
    for _ in range(3):
        story.look(after=4)
        assert story.asked == []
    assert story.recheck_after == 3
    story.look(after=3)
    assert len(story.asked) == 2
    assert story.status["analysis"][0]["result"] == "Pass"
    story.look(after=1)
    assert story.recheck_after == 14


def test_a_canary_that_errs_goes_at_the_first_check() -> None:
    story = a_story()
    story.look()
    story.canary_traffic = BAD
    found = story.look(after=15)
    assert found == Trouble("AnalysisFailed", "errors: 0.5 is not <= 0.01; the stable version has 0 in the same window")


def test_failures_up_to_the_limit_are_endured_over_all_shares() -> None:
    story = a_story(failureLimit=2)
    story.look()
    story.canary_traffic = BAD
    assert story.look(after=15) is None
    assert story.status["analysis"][0]["failures"] == 1
    story.canary_traffic, story.weight = GOOD, 50
    story.look(after=1)
    assert story.look(after=15) is None
    story.canary_traffic = BAD
    found = story.look(after=15)
    assert found is not None
    assert found.reason == "AnalysisFailed"


def test_only_pods_of_the_two_versions_that_are_to_stay_are_measured() -> None:
    story = a_story()
    story.look()
    asked = [[address.name for address in item.pods] for item in story.asked if isinstance(item, MeasureTraffic)]
    assert asked == [["bb"], ["a"]]
    assert {item.window_seconds for item in story.asked if isinstance(item, MeasureTraffic)} == {15}


def test_the_first_traffic_is_left_out_for_the_initial_delay_and_later_shares_have_none() -> None:
    story = a_story(initialDelaySeconds=30)
    story.look()
    assert (story.asked, story.recheck_after) == ([], 30)
    story.look(after=30)
    assert len(story.asked) == 2
    story.look(after=15)
    assert story.status["analysis"]
    story.weight = 50
    story.look(after=1)
    assert len(story.asked) == 2, "measuring begins at once"


def test_a_share_is_held_until_a_check_passed_at_it() -> None:
    story = a_story()
    story.look()
    assert story.awaited() == ("the analysis has not yet checked this share", False)
    story.canary_traffic = NOTHING
    story.look(after=15)
    assert story.awaited()[0] == "errors: 0 predictions in 15 s, minSamples is 100"
    story.canary_traffic = GOOD
    story.look(after=15)
    assert story.awaited() == (None, False)
    story.weight = 50
    story.look(after=1)
    assert story.awaited() == ("the analysis has not yet checked this share", False)


def test_a_share_that_is_held_for_longer_than_the_deadline_is_told() -> None:
    story = a_story()
    story.canary_traffic = NOTHING
    story.look()
    story.look(after=15)
    story.awaited()
    story.look(after=599)
    assert story.awaited()[1] is False
    story.look(after=1)
    assert story.awaited()[1] is True
    story.canary_traffic = GOOD
    story.look(after=15)
    assert story.awaited() == (None, False)


def test_without_an_analysis_nothing_is_awaited() -> None:
    story = a_story()
    scene, canary = story.scene({})
    draft = scene.draft
    draft.spec = draft.spec.model_copy(update={"rollout": draft.spec.rollout.model_copy(update={"analysis": None})})
    assert monitoring.what_failed(scene, canary) is None
    assert monitoring.what_is_awaited(scene, canary) is None


def test_a_query_is_asked_with_its_placeholders_filled_in() -> None:
    query = (
        'x{ns="{{namespace}}",pod=~"{{canary_pods}}",old=~"{{stable_pods}}"}[{{window_seconds}}s] {{name}} {{model}}'
    )
    story = a_story({"name": "drift", "prometheus": {"query": query + "@{{version}}"}, "max": "0.2"})
    story.look()
    expected = f'x{{ns="{builders.NAMESPACE}",pod=~"bb",old=~"a"}}[15s] digits digits@2'
    assert story.asked == [QueryPrometheus(expected)], "no traffic is measured where no metric needs it"


@pytest.mark.parametrize(("may_query", "told"), [(True, 0), (False, 1)])
def test_an_administrator_may_forbid_queries(may_query: bool, told: int) -> None:
    story = a_story(ERRORS, {"name": "drift", "prometheus": {"query": "drift"}, "max": "0.2"})
    spec = story.scene({})[0].draft.spec
    problems = list(monitoring.problems_of(builders.make_context(may_query=may_query), spec))
    assert len(problems) == told
    assert all(text.startswith("spec.rollout.analysis.metrics[1].prometheus: ") for text in problems)


def test_no_pods_are_no_expression_that_matches_everything() -> None:
    story = a_story({"name": "drift", "prometheus": {"query": "{{stable_pods}}"}, "max": "0.2"})
    story.status["stable"]["version"] = "9"
    story.look()
    assert story.asked == [QueryPrometheus("-")]


@pytest.mark.parametrize(("number", "result"), [(0.1, "Pass"), (0.3, "Fail"), (None, "Inconclusive")])
def test_a_query_is_judged_beside_the_traffic(number: float | None, result: str) -> None:
    story = a_story(ERRORS, {"name": "drift", "prometheus": {"query": "drift"}, "max": "0.2"}, failureLimit=5)
    story.number = number
    story.look()
    story.look(after=15)
    assert [item["result"] for item in story.status["analysis"]] == ["Pass", result]
    assert len(story.asked) == 3, "all of it at once"


SAME = {"name": "same", "builtin": "Disagreement", "max": "0.02"}


def test_predictions_are_compared_by_the_pods_of_both_versions_that_are_to_stay() -> None:
    story = a_story(SAME | {"tolerance": "0.5"})
    story.look()
    (asked,) = story.asked
    assert isinstance(asked, CompareAnswers)
    assert [pod.name for pod in asked.stable] == ["a"]
    assert [pod.name for pod in asked.canary] == ["bb"]
    assert (asked.version, asked.window_seconds, asked.tolerance) == ("2", 15, 0.5)
    story.compared = Compared(200, 100, 15)
    found = story.look(after=15)
    assert found is not None
    assert found.message.startswith("same: 100 of 200 predictions differ from the stable version's: 0.5 is not <= 0.02")


def test_every_kind_of_metric_gets_its_own_answer() -> None:
    query = {"name": "drift", "prometheus": {"query": "drift"}, "max": "0.2"}
    story = a_story(query, SAME, ERRORS)
    story.look()
    assert len(story.asked) == 4
    story.number, story.canary_traffic, story.compared = 0.15, Traffic(300, 0, 0.1, 15), Compared(400, 4, 15)
    assert story.look(after=15) is None
    items = {item["name"]: (item["result"], item["value"], item.get("samples")) for item in story.status["analysis"]}
    assert items == {"drift": ("Pass", "0.15", None), "same": ("Pass", "0.01", 400), "errors": ("Pass", "0", 300)}


def test_a_version_that_cannot_be_compared_is_neither_passed_nor_failed() -> None:
    story = a_story(SAME)
    story.compared = Failure("AnswersUnknown", "pod a does not tell what it predicted")
    story.look()
    assert story.look(after=15) is None
    awaited, _ = story.awaited()
    assert awaited == "same: pod a does not tell what it predicted"
