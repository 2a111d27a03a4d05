"""Whatever a pod template tries, a pod that comes of it is one that Pod Security `restricted` admits."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.hostile import Template, hostile_templates
from support.pod_security import violations
from support.rendered import pods_of_serving, pods_of_training

MANY = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(hostile_templates())
def test_of_a_training(template: Template) -> None:
    pods, refusal = pods_of_training(template)
    assert bool(pods) != bool(refusal)
    for pod in pods:
        assert violations(pod["spec"], pod["metadata"]["annotations"]) == []


@MANY
@given(hostile_templates(), st.sampled_from(["SeldonDeployment", "Deployment"]))
def test_of_a_server(template: Template, backend: str) -> None:
    pods, refusal = pods_of_serving(template, backend)
    assert bool(pods) != bool(refusal)
    for pod in pods:
        assert violations(pod["spec"], pod["metadata"]["annotations"]) == []
