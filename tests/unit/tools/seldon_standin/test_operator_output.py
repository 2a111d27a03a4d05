"""What the operator writes is what the stand-in, like Seldon, can work with."""

import dataclasses
from typing import Any

from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.context import Context
from modelyard.core.model_deployment.seldon import SeldonBackend
from tools.seldon_standin.render import render_deployments, render_services
from tools.seldon_standin.support import problems


def make_context() -> Context:
    values: dict[str, Any] = {
        field.name: field.name.replace("_", "-") for field in dataclasses.fields(Context) if field.type is str
    }
    return Context(**{**values, "alias_poll_seconds": 15.0})


def make_sdep(version: str) -> dict[str, Any]:
    metadata = {"name": "digits", "namespace": "ml", "uid": "uid-1", "generation": 1}
    resource = {"apiVersion": "modelyard.io/v1alpha1", "kind": "ModelDeployment", "metadata": metadata}
    spec = ModelDeploymentSpec.model_validate({"model": {"name": "digits", "alias": "champion"}})
    (sdep,) = SeldonBackend().render(resource, spec, version, make_context())
    sdep["metadata"]["uid"] = "uid-2"
    return dict(sdep)


def test_it_is_accepted() -> None:
    assert problems(make_sdep("1")) == []


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


def test_one_of_its_services_has_the_deployments_own_name() -> None:
    assert {service["metadata"]["name"] for service in render_services(make_sdep("1"))} == {
        "digits",
        "digits-main-model",
    }


def test_seldon_adds_no_variable_that_the_operator_has_set() -> None:
    (deployment,) = render_deployments(make_sdep("7"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    names = [variable["name"] for variable in container["env"]]
    assert len(set(names)) == len(names)
    assert {"MLSERVER_MODEL_VERSION", "MLSERVER_MODEL_NAME"} <= set(names)
