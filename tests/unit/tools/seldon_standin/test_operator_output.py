"""What the operator writes is what the stand-in, like Seldon, can work with."""

import dataclasses
from typing import Any

import pytest

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.context import Context
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.model_deployment.seldon import SeldonBackend
from tools.seldon_standin.render import render_deployments, render_services
from tools.seldon_standin.support import problems


def make_context() -> Context:
    values: dict[str, Any] = {
        field.name: field.name.replace("_", "-") for field in dataclasses.fields(Context) if field.type is str
    }
    return Context(**{**values, "alias_poll_seconds": 15.0})


def make_sdep(version: str, canary: str | None = None, weight: int = 0) -> dict[str, Any]:
    metadata = {"name": "digits", "namespace": "ml", "uid": "uid-1", "generation": 1}
    resource = {"apiVersion": "modelyard.io/v1alpha1", "kind": "ModelDeployment", "metadata": metadata}
    spec = ModelDeploymentSpec.model_validate({"model": {"name": "digits", "alias": "champion"}})
    layout = Layout(Predictor(STABLE, version, 1), Predictor(CANARY, canary, 1) if canary else None, weight)
    (sdep,) = SeldonBackend().render(resource, spec, layout, make_context())
    sdep["metadata"]["uid"] = "uid-2"
    return dict(sdep)


@pytest.mark.parametrize(("canary", "weight"), [(None, 0), ("2", 0), ("2", 25), ("2", 100)])
def test_it_is_accepted(canary: str | None, weight: int) -> None:
    sdep = make_sdep("1", canary, weight)
    assert problems(sdep) == []
    assert 0 not in [item.get("traffic") for item in sdep["spec"]["predictors"]]


def test_a_canary_changes_nothing_of_the_predictor_beside_it() -> None:
    (alone,), (beside, canary) = render_deployments(make_sdep("1")), render_deployments(make_sdep("1", "2", 25))
    assert beside == alone
    assert canary["metadata"]["name"] == "digits-canary-0-model"
    assert canary["spec"]["selector"] != alone["spec"]["selector"]


def test_a_share_of_the_traffic_starts_no_pod_anew() -> None:
    for one, other in ((0, 25), (25, 100), (100, 0)):
        assert render_deployments(make_sdep("1", "2", one)) == render_deployments(make_sdep("1", "2", other))


def test_another_version_changes_the_pod_and_neither_names_nor_selectors() -> None:
    (before,), (after,) = render_deployments(make_sdep("1")), render_deployments(make_sdep("2"))
    assert before["spec"]["template"] != after["spec"]["template"]
    for constant in ("name", "ownerReferences"):
        assert before["metadata"][constant] == after["metadata"][constant]
    assert before["spec"]["selector"] == after["spec"]["selector"]
    assert render_services(make_sdep("1")) == render_services(make_sdep("2"))


def test_the_version_is_a_label_of_the_deployment_and_of_its_pods() -> None:
    (deployment,) = render_deployments(make_sdep("7"))
    template = deployment["spec"]["template"]
    assert deployment["metadata"]["labels"]["modelyard.io/model-version"] == "7"
    assert template["metadata"]["labels"]["modelyard.io/model-version"] == "7"


def test_its_services_leave_the_deployments_own_name_to_the_operator() -> None:
    assert {service["metadata"]["name"] for service in render_services(make_sdep("1", "2"))} == {
        "digits-main",
        "digits-main-model",
        "digits-canary",
        "digits-canary-model",
    }


def test_seldon_adds_no_variable_that_the_operator_has_set() -> None:
    (deployment,) = render_deployments(make_sdep("7"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    names = [variable["name"] for variable in container["env"]]
    assert len(set(names)) == len(names)
    assert {"MLSERVER_MODEL_VERSION", "MLSERVER_MODEL_NAME"} <= set(names)
