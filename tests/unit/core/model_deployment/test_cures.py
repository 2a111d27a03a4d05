"""What keeps a server's pods is told of the field of its ModelDeployment, wherever the cluster says it."""

from typing import Any

import pytest

from builders import NOW, PodBuilder, make_context, make_model_deployment, make_serving_pod, seconds_ago
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Open
from modelyard.core.model_deployment import cures
from modelyard.core.model_deployment.backend import PredictorState, Servers
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import ObjectRef
from modelyard.core.pod_state import Trouble
from modelyard.core.serving import ReadWarning, Warned

TEMPLATE = {
    "schedulerName": "volcano",
    "serviceAccountName": "robot",
    "volumes": [{"name": "certs", "secret": {"secretName": "certs"}}],
}
RESOURCE = (
    make_model_deployment()
    .with_spec(podTemplate={"spec": TEMPLATE}, server={"resources": {"requests": {"cpu": "900"}}})
    .build()
)
WAITS = PredictorState(applied_version="1", wanted=1, replicas=1)


def draft_of(*pods: PodBuilder, answers: dict[Any, Any] | None = None) -> Draft:
    spec = ModelDeploymentSpec.model_validate(RESOURCE["spec"])
    observed = Observed(make_context(), pods=tuple(pod.build() for pod in pods), answers=answers or {})
    return Draft(RESOURCE, spec, observed, NOW)


def trouble(draft: Draft, known: Trouble | None = None) -> Trouble | None:
    state = PredictorState(applied_version="1", wanted=1, replicas=1, trouble=known)
    return cures.explained(draft, Servers(state)).stable.trouble


def pod_made(seconds: float) -> PodBuilder:
    return make_serving_pod(RESOURCE).changed("metadata", "creationTimestamp", to=seconds_ago(seconds))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (
            Trouble("ImagePullFailed", "container model: image x cannot be pulled"),
            Trouble("ImagePullFailed", "spec.server.image: image x cannot be pulled"),
        ),
        (
            Trouble("Unschedulable", "1 Insufficient cpu."),
            Trouble(
                "Unschedulable",
                "spec.server.resources.requests.cpu (900): no node has so much cpu free: ask for less, or add nodes "
                "(1 Insufficient cpu.)",
            ),
        ),
        (
            Trouble("FailedCreate", 'pods "x-1" is forbidden: error looking up: serviceaccount "robot" not found'),
            Trouble(
                "PodsRefused",
                "spec.podTemplate.spec.serviceAccountName: there is no ServiceAccount robot: create it, or correct the "
                "name",
            ),
        ),
        (
            Trouble("FailedCreate", 'pods "x-1" is forbidden: exceeded quota: tight'),
            Trouble("QuotaExceeded", "no pod can be made: exceeded quota: tight"),
        ),
        (
            Trouble("FailedCreate", 'pods "x-1" is forbidden: no PriorityClass with name high was found'),
            Trouble(
                "PodsRefused",
                "the chart's pods.modelDeployments.priorityClassName: there is no PriorityClass high: create it, or "
                "correct the name",
            ),
        ),
    ],
)
def test_the_field_and_the_cure_are_named(known: Trouble, told: Trouble) -> None:
    assert trouble(draft_of(), known) == told


def test_a_volume_that_is_not_there_is_read_from_the_events() -> None:
    pod = pod_made(6).starting().changed("metadata", "uid", to="p-1")
    question = ReadWarning(ObjectRef("v1", "Pod", "team-a", pod.build()["metadata"]["name"], "p-1"))
    with pytest.raises(Open) as open_:
        trouble(draft_of(pod))
    assert open_.value.questions == (question,)
    note = 'MountVolume.SetUp failed for volume "certs" : secret "certs" not found'
    draft = draft_of(pod, answers={question: Warned("FailedMount", note)})
    said = "spec.podTemplate.spec.volumes[certs].secret.secretName: there is no Secret certs in this namespace"
    assert trouble(draft) == Trouble("ConfigError", f"{said}: create it, or correct the name")
    assert draft.recheck_after == 3.0


def test_its_volumes_are_looked_for_as_soon_as_its_grace_is_over() -> None:
    draft = draft_of(pod_made(4).starting())
    assert trouble(draft) is None
    assert draft.recheck_after == 1.0


def test_a_scheduler_that_is_not_there_is_named() -> None:
    pod = pod_made(6).changed("spec", to={"schedulerName": "volcano"}).changed("status", to={"phase": "Pending"})
    found = trouble(draft_of(pod))
    assert found is not None
    assert found.message.startswith("spec.podTemplate.spec.schedulerName: no scheduler called volcano has taken up")


@pytest.mark.parametrize("pod", [pod_made(900).running(), make_serving_pod(RESOURCE).starting()])
def test_nothing_is_asked_about_pods_that_have_begun_or_were_just_made(pod: PodBuilder) -> None:
    assert trouble(draft_of(pod)) is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'Deployment.apps "digits" is invalid: spec.template.spec.containers[0].envFrom[0]: Required value',
            "spec.server.envFrom[0]: Required value",
        ),
        (
            'Deployment.apps "digits" is invalid: spec.template.spec.nodeSelector: Invalid value: "b c"',
            'spec.podTemplate.spec.nodeSelector: Invalid value: "b c"',
        ),
        (
            (
                'SeldonDeployment.machinelearning.seldon.io "digits" is invalid: spec.predictors[0].componentSpecs[0]'
                ".spec.tolerations: Invalid value"
            ),
            "spec.podTemplate.spec.tolerations: Invalid value",
        ),
    ],
)
def test_a_refusal_is_told_in_the_fields_that_the_object_was_made_of(said: str, told: str) -> None:
    assert cures.in_fields(said) == told
