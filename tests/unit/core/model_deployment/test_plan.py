"""What is applied, and when it counts as done."""

from builders import (
    NOW,
    make_card,
    make_context,
    make_deployment,
    make_model_deployment,
    make_service,
    seconds_ago,
)
from modelyard.core.model_card import ReadModelCard
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.plan import plan
from modelyard.core.plan import Manifest, Plan
from modelyard.core.tracking import RegisteredVersion, ResolveAlias

READY = {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": seconds_ago(60)}
SERVING = (
    make_model_deployment()
    .with_backend("Deployment")
    .with_status({"stable": {"version": "1", "since": seconds_ago(60)}, "conditions": [READY]})
)
RESOLVED = {
    ResolveAlias("digits", "champion"): RegisteredVersion("digits", "1", None, None),
    ReadModelCard("digits", "1"): make_card(),
}


def planned(resource: Manifest, *objects: Manifest) -> Plan:
    return plan(resource, Observed(make_context(), objects=objects, answers=RESOLVED), NOW)


def reason(made: Plan) -> str:
    assert made.status is not None
    return str(next(item for item in made.status["conditions"] if item["type"] == "Ready")["reason"])


def test_what_is_as_wanted_is_not_applied() -> None:
    resource = SERVING.build()
    made = planned(resource, make_deployment(resource, "1").rolled_out().build(), make_service(resource))
    assert (made.apply, reason(made)) == ((), "Serving")


def test_what_someone_changed_is_applied_again() -> None:
    resource = SERVING.build()
    edited = make_deployment(resource, "1").rolled_out().changed("spec", "replicas", to=1)
    drifted = edited.changed("spec", "template", "spec", "terminationGracePeriodSeconds", to=1)
    made = planned(resource, drifted.build(), make_service(resource))
    assert [item["kind"] for item in made.apply] == ["Deployment"]


def test_a_value_that_the_api_server_writes_in_another_way_does_not_keep_it_from_serving() -> None:
    resource = SERVING.with_pod_template(spec={"hostname": "Written.Otherwise"}).build()
    live = make_deployment(resource, "1").rolled_out().changed("spec", "template", "spec", "hostname", to="written")
    assert reason(planned(resource, live.build(), make_service(resource))) == "Serving"


def test_an_edit_of_spec_is_not_done_before_it_was_applied() -> None:
    before = SERVING.build()
    resource = SERVING.with_spec(server={"image": "another:1"}).edited().build()
    made = planned(resource, make_deployment(before, "1").rolled_out().build(), make_service(before))
    assert reason(made) == "Progressing"
