"""A pod is its template with the operator's own settings on top; tests/properties says that it is always restricted."""

from typing import Any

import pytest

from builders import make_context
from modelyard.api.base import PodTemplate
from modelyard.core import pods
from modelyard.core.workspaces import Workspaces

MAIN: dict[str, Any] = {"name": "trainer", "image": "trainer:1", "env": [{"name": "OWN", "value": "1"}]}
HELPER: dict[str, Any] = {"name": "modelyard-source", "image": "fetcher:1"}


def merged(**spec: object) -> dict[str, Any]:
    return pods.merged_spec(PodTemplate.model_validate({"spec": spec}), MAIN, [HELPER])


def test_the_main_container_is_first_and_the_helpers_run_first() -> None:
    pod = merged(containers=[{"name": "sidecar"}, {"name": "trainer"}], initContainers=[{"name": "prepare"}])
    assert [item["name"] for item in pod["containers"]] == ["trainer", "sidecar"]
    assert [item["name"] for item in pod["initContainers"]] == ["modelyard-source", "prepare"]


def test_the_operators_fields_win_over_the_template() -> None:
    users = {"name": "trainer", "image": "other", "tty": True, "env": [{"name": "OWN"}, {"name": "MINE", "value": "3"}]}
    [container] = merged(containers=[users])["containers"]
    assert (container["image"], container["tty"]) == ("trainer:1", True)
    assert {item["name"]: item.get("value") for item in container["env"]} == {"OWN": "1", "MINE": "3"}


def test_ports_without_a_name_are_all_kept() -> None:
    [container] = merged(containers=[{"name": "trainer", "ports": [{"containerPort": 1}, {"containerPort": 2}]}])[
        "containers"
    ]
    assert [port["containerPort"] for port in container["ports"]] == [1, 2]


def test_a_pod_can_write_to_tmp_once() -> None:
    users = {"name": "trainer", "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]}  # noqa: S108 - the pod's
    [container] = merged(containers=[users], volumes=[{"name": "scratch", "emptyDir": {}}])["containers"]
    assert [mount["name"] for mount in container["volumeMounts"]] == ["scratch"]


@pytest.mark.parametrize(("spec", "mounted"), [({}, False), ({"serviceAccountName": "trainer"}, None)])
def test_a_token_is_mounted_only_for_an_account_that_was_asked_for(spec: dict[str, str], mounted: bool | None) -> None:
    assert merged(**spec).get("automountServiceAccountToken") is mounted


def test_a_user_that_is_null_is_the_operators_so_that_no_kubelet_finds_root() -> None:
    nobody = {"runAsUser": None, "runAsGroup": None}
    pod = merged(securityContext=nobody, containers=[{"name": "trainer", "securityContext": nobody}])
    for context in (pod["securityContext"], pod["containers"][0]["securityContext"]):
        assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (65532, 65532, True)


def test_the_template_itself_is_not_changed() -> None:
    template = PodTemplate.model_validate({"spec": {"containers": [{"name": "trainer"}]}})
    before = template.model_copy(deep=True)
    pods.merged_spec(template, MAIN, [HELPER])
    assert template == before


def test_credentials_are_given_by_reference() -> None:
    variables = pods.tracking_environment(make_context(), "team-a")
    secret = [item for item in variables if item["name"] in pods.CREDENTIAL_VARIABLES]
    assert len(secret) == 3
    assert all("value" not in item and item["valueFrom"]["secretKeyRef"]["optional"] for item in secret)


def test_an_mlflow_without_credentials_or_authority_needs_none() -> None:
    context = make_context(credentials_secret="", ca_config_map="")
    assert [item["name"] for item in pods.tracking_environment(context, "team-a")] == [
        "MLFLOW_TRACKING_URI",
        "MLFLOW_DISABLE_TELEMETRY",
    ]
    assert pods.ca_mounts(context) == pods.ca_volumes(context) == []


def test_a_pod_is_told_the_workspace_of_its_namespace() -> None:
    context = make_context(workspaces=Workspaces.PER_NAMESPACE)
    variables = pods.tracking_environment(context, "team-a")
    assert {"name": "MLFLOW_WORKSPACE", "value": "team-a"} in variables


def test_an_authority_is_mounted_where_its_variable_points() -> None:
    context = make_context(ca_config_map="ca")
    [mount], [volume] = pods.ca_mounts(context), pods.ca_volumes(context)
    variables = pods.tracking_environment(context, "team-a")
    path = next(item["value"] for item in variables if item["name"].endswith("CERT_PATH"))
    assert path.startswith(mount["mountPath"])
    assert (mount["name"], volume["configMap"]) == (volume["name"], {"name": "ca"})
