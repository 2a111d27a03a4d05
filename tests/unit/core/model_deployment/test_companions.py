"""The autoscaler, the budget for drains, and pods that are kept apart."""

from typing import Any

import pytest

from builders import (
    NOW,
    ModelDeploymentBuilder,
    applied,
    as_live,
    make_context,
    make_model_deployment,
)
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.model_deployment import companions
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.plan import Manifest
from modelyard.core.serving import ReadObject

BACKENDS = pytest.mark.parametrize("backend", ["SeldonDeployment", "Deployment"])
PLAIN = make_model_deployment().with_backend("Deployment")
REQUESTS = {"resources": {"requests": {"cpu": "500m"}}}
SCALED = PLAIN.with_spec(autoscaling={"maxReplicas": 5}, server=REQUESTS)


class NothingThere(dict[Any, Any]):
    """No object of these names exists."""

    def __contains__(self, question: object) -> bool:
        return isinstance(question, ReadObject)

    def __getitem__(self, question: Any) -> Any:
        return None


def settled(builder: ModelDeploymentBuilder, *live: Manifest) -> Draft:
    resource = builder.build()
    spec = ModelDeploymentSpec.model_validate(resource["spec"])
    draft = Draft(resource, spec, Observed(make_context(), objects=live, answers=NothingThere()), NOW)
    companions.settle(draft)
    return draft


def kinds(draft: Draft) -> list[str]:
    return [item["kind"] for item in draft.apply]


def live_autoscaler(builder: ModelDeploymentBuilder, **status: Any) -> Manifest:
    scaling = ModelDeploymentSpec.model_validate(builder.build()["spec"]).autoscaling
    assert scaling is not None
    return as_live(companions.autoscaler(builder.build(), scaling)) | {"status": status}


@pytest.mark.parametrize(
    ("builder", "wanted"),
    [
        (PLAIN, []),
        (PLAIN.with_replicas(0), []),
        (PLAIN.with_replicas(2), ["PodDisruptionBudget"]),
        (SCALED, ["HorizontalPodAutoscaler"]),
        (SCALED.with_replicas(3), ["HorizontalPodAutoscaler", "PodDisruptionBudget"]),
    ],
    ids=["one", "none", "two", "autoscaled", "three, autoscaled"],
)
def test_each_is_there_where_it_is_of_use(builder: ModelDeploymentBuilder, wanted: list[str]) -> None:
    draft = settled(builder)
    assert kinds(draft) == wanted
    assert not draft.is_changed, "servers are not waited for because of them"


def test_the_autoscaler_scales_the_model_deployment_and_nothing_below_it() -> None:
    (made,) = settled(SCALED).apply
    assert made["spec"]["scaleTargetRef"] == {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "name": "digits",
    }
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (1, 5)
    assert made["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


def test_what_is_no_longer_wanted_goes() -> None:
    resource = PLAIN.with_replicas(2).build()
    draft = settled(PLAIN, live_autoscaler(SCALED), as_live(companions.budget(resource)))
    assert [ref.kind for ref in draft.delete] == ["HorizontalPodAutoscaler", "PodDisruptionBudget"]
    assert draft.conditions.get("Autoscaled") is None


@pytest.mark.parametrize(
    ("builder", "active", "said"),
    [
        (SCALED, {}, ("True", "Autoscaling", "1 to 5 pods by 80 %")),
        (SCALED, {"status": "True"}, ("True", "Autoscaling", "wins over kubectl scale")),
        (
            SCALED,
            {"status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics known for pod"},
            ("False", "AutoscalerInactive", "FailedGetResourceMetric: no metrics known for pod; it reads CPU"),
        ),
        (SCALED.with_replicas(0), {"status": "False"}, ("False", "ScaledToZero", "rests")),
    ],
)
def test_it_is_said_who_decides(builder: ModelDeploymentBuilder, active: Manifest, said: tuple[str, str, str]) -> None:
    conditions = [{"type": "ScalingActive", **active}] if active else []
    found = settled(builder, live_autoscaler(SCALED, conditions=conditions)).conditions.get("Autoscaled")
    assert found is not None
    assert (found["status"], found["reason"]) == said[:2]
    assert said[2] in found["message"]


def pod_spec_of(made: Manifest) -> Manifest:
    spec = made["spec"]
    found: Manifest = (
        spec["template"]["spec"] if made["kind"] == "Deployment" else spec["predictors"][0]["componentSpecs"][0]["spec"]
    )
    return found


@BACKENDS
def test_pods_are_kept_apart_unless_the_template_says_how(backend: str) -> None:
    builder = make_model_deployment().with_backend(backend)
    constraints = pod_spec_of(applied(builder.build(), "1", make_context(), backend)[0])["topologySpreadConstraints"]
    assert [item["topologyKey"] for item in constraints] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {item["whenUnsatisfiable"] for item in constraints} == {"ScheduleAnyway"}
    own = builder.with_pod_template(spec={"topologySpreadConstraints": []}).build()
    assert pod_spec_of(applied(own, "1", make_context(), backend)[0])["topologySpreadConstraints"] == []
