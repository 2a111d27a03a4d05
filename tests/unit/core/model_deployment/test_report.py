"""Ready means that this version answers; a switch keeps what serves until then, and says what keeps it."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOW, ModelDeploymentBuilder, make_context, make_model_deployment, seconds_ago
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Open
from modelyard.core.model_deployment.backend import PredictorState
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.report import FINAL_REASONS, report
from modelyard.core.plan import Failure, Plan, Question
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import AskServer, Ready
from modelyard.core.tracking import RegisteredVersion

ASK = AskServer("http://digits.team-a:9000", "2")
WANTED = RegisteredVersion("digits", "2", None, None)
SWITCHING = {"version": "2", "generation": 1, "startedAt": seconds_ago(30)}
SERVED = {
    "stable": {"version": "1", "since": seconds_ago(900)},
    "conditions": [{"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": seconds_ago(900)}],
}
DONE = PredictorState(applied_version="2", replicas=1, available=1, rolled_out_version="2")
HALF = PredictorState(applied_version="2", replicas=2, available=1)
NONE = PredictorState(applied_version="2", replicas=1)


def reported(
    state: PredictorState,
    builder: ModelDeploymentBuilder,
    answers: dict[Question, Any] | None = None,
    after_seconds: float = 0,
) -> Plan:
    resource = builder.build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    world = Observed(make_context(), answers=answers or {})
    return report(Draft(resource, spec, world, NOW + timedelta(seconds=after_seconds)), "2", state, WANTED)


def told(plan: Plan, kind: str) -> tuple[str, str]:
    assert plan.status is not None
    found = next(item for item in plan.status["conditions"] if item["type"] == kind)
    return found["status"], found["reason"]


def types(plan: Plan) -> set[str]:
    assert plan.status is not None
    return {item["type"] for item in plan.status["conditions"]}


def switching() -> ModelDeploymentBuilder:
    return make_model_deployment().with_status(SERVED | {"progress": SWITCHING})


def test_pods_that_are_ready_are_asked_before_they_are_believed() -> None:
    with pytest.raises(Open) as open_:
        reported(DONE, switching())
    assert open_.value.question == ASK


def test_a_server_that_answers_serves() -> None:
    plan = reported(DONE, switching(), {ASK: Ready()})
    assert plan.status is not None
    assert told(plan, "Ready") == ("True", "Serving")
    assert plan.status["stable"]["version"] == "2"
    assert "progress" not in plan.status
    assert not types(plan) & {"Reconciling", "Stalled"}
    assert [event.note for event in plan.events] == ["version 2 serves, after version 1"]


def test_a_server_that_does_not_answer_yet_is_asked_soon_and_not_called_broken() -> None:
    plan = reported(DONE, switching(), {ASK: Failure("NotReady", "HTTP 503")})
    assert told(plan, "Ready") == ("True", "Progressing")
    assert told(plan, "Degraded")[0] == "False"
    assert plan.recheck_after == 2
    assert not plan.events


def test_the_old_version_keeps_it_ready_while_the_new_one_starts() -> None:
    assert told(reported(HALF, switching()), "Ready") == ("True", "Progressing")


def test_with_no_pods_it_is_not_ready() -> None:
    assert told(reported(NONE, switching()), "Ready") == ("False", "Progressing")


@pytest.mark.parametrize("reason", sorted(FINAL_REASONS))
def test_a_version_that_cannot_be_served_stalls_at_once(reason: str) -> None:
    bad = PredictorState(applied_version="2", replicas=2, available=1, trouble=Trouble(reason, "why"))
    plan = reported(bad, switching())
    assert told(plan, "Ready") == ("True", reason)
    assert told(plan, "Stalled") == ("True", reason)
    assert told(plan, "Degraded") == ("True", reason)
    assert "Reconciling" not in types(plan)


def test_other_trouble_may_pass() -> None:
    slow = PredictorState(applied_version="2", replicas=2, available=1, trouble=Trouble("ImagePullFailed", "why"))
    plan = reported(slow, switching())
    assert told(plan, "Reconciling") == ("True", "ImagePullFailed")
    assert "Stalled" not in types(plan)
    assert [event.type for event in plan.events] == ["Warning"]


@pytest.mark.parametrize(("after", "reason"), [(569, "Progressing"), (570, "ProgressDeadlineExceeded")])
def test_the_deadline_counts_from_the_start_of_the_switch(after: float, reason: str) -> None:
    assert told(reported(HALF, switching(), after_seconds=after), "Progressing")[1] == reason


def test_an_edit_of_spec_begins_the_deadline_anew() -> None:
    plan = reported(HALF, switching().edited(), after_seconds=900)
    assert plan.status is not None
    assert told(plan, "Progressing")[1] == "Progressing"
    assert plan.status["progress"]["generation"] == 2


def test_it_is_looked_at_again_when_the_deadline_ends() -> None:
    plan = reported(HALF, switching(), after_seconds=565)
    assert plan.recheck_after == 5


def test_nothing_serves_where_nothing_is_wanted() -> None:
    plan = reported(NONE, switching().with_replicas(0))
    assert told(plan, "Ready") == ("False", "ScaledToZero")
    assert not types(plan) & {"Reconciling", "Stalled"}


def test_fewer_pods_than_wanted_are_not_the_end_of_scaling() -> None:
    assert told(reported(DONE, switching().with_replicas(2)), "Progressing")[0] == "True"
