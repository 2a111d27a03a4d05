"""A trainer that runs does not hide that another container of its pod cannot, or does not end."""

from typing import Any

from builders import NOW, PodBuilder, make_context, make_job, make_pod, make_training_job, seconds_ago
from modelyard.core.plan import Manifest, Plan
from modelyard.core.training_job.observed import Observed
from modelyard.core.training_job.plan import plan

RECORD = {"number": 1, "job": "x", "startTime": seconds_ago(60), "runID": "run-1"}
SIDE = {"name": "side", "image": "team/none:3"}
JOB: Manifest = (
    make_training_job()
    .with_spec(podTemplate={"spec": {"containers": [SIDE]}})
    .with_status({"attempt": 1, "attempts": [RECORD], "startTime": seconds_ago(60)})
    .build()
)


def planned(pod: PodBuilder, *beside: Manifest) -> Plan:
    manifest = pod.build()
    manifest["status"]["containerStatuses"] += list(beside)
    return plan(JOB, Observed(make_context(), jobs=(make_job(JOB).build(),), pods=(manifest,)), NOW)


def said(found: Plan) -> tuple[str, Any]:
    assert found.status is not None
    state = next(item for item in found.status["conditions"] if item["type"] == "Complete")
    assert state["reason"] == "Running"
    return state["message"], found.status.get("problem")


def state_of(name: str, **state: Any) -> Manifest:
    return {"name": name, "image": "team/none:3", "state": state}


def ended(seconds: float) -> PodBuilder:
    end = {"exitCode": 0, "reason": "Completed", "finishedAt": seconds_ago(seconds)}
    trainer = {"name": "trainer", "state": {"terminated": end}}
    return make_pod(JOB).running().changed("status", "containerStatuses", to=[trainer])


def test_one_that_cannot_start_is_told_with_its_field() -> None:
    message, problem = said(planned(make_pod(JOB).running(), state_of("side", waiting={"reason": "ImagePullBackOff"})))
    assert message == (
        "attempt 1 runs on node-1; ImagePullFailed: spec.podTemplate.spec.containers[side].image: image team/none:3 "
        "cannot be pulled: correct its name, or give the pod the imagePullSecrets that it needs"
    )
    assert problem == "ImagePullFailed"


def test_one_that_failed_is_told() -> None:
    end = {"exitCode": 3, "reason": "Error", "message": "no port"}
    message, problem = said(planned(make_pod(JOB).running(), state_of("side", terminated=end)))
    assert message.endswith("ContainerFailed: container side ended with exit code 3: no port")
    assert problem == "ContainerFailed"


def test_one_that_runs_or_did_its_work_is_fine() -> None:
    for state in ({"running": {}}, {"terminated": {"exitCode": 0}}, {"waiting": {"reason": "ContainerCreating"}}):
        assert said(planned(make_pod(JOB).running(), state_of("side", **state))) == ("attempt 1 runs on node-1", None)


def test_one_that_outlives_the_trainer_is_told_with_the_cure() -> None:
    message, _ = said(planned(ended(seconds=6), state_of("side", running={})))
    assert "the trainer has ended, but its pod has not: spec.podTemplate.spec.containers[side]: have it end" in message


def test_it_has_a_moment_to_end_after_the_trainer() -> None:
    found = planned(ended(seconds=2), state_of("side", running={}))
    assert said(found)[0] == "attempt 1 runs on node-1"
    assert found.recheck_after == 3.0
