"""Whatever template is admitted, the pod that comes of it is one that Pod Security `restricted` admits."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from builders import make_context
from modelyard.api.base import PodTemplate
from modelyard.core import pods
from modelyard.core.pod_rules import problems_of

MAIN: dict[str, Any] = {"name": "trainer", "image": "trainer:1", "env": [{"name": "OWN", "value": "1"}]}
HELPER: dict[str, Any] = {"name": "modelyard-source", "image": "fetcher:1"}

SECURITY = st.fixed_dictionaries(
    {},
    optional={
        "runAsUser": st.sampled_from([1000, 65532, 0]),
        "runAsNonRoot": st.booleans(),
        "privileged": st.booleans(),
        "allowPrivilegeEscalation": st.booleans(),
        "readOnlyRootFilesystem": st.booleans(),
        "capabilities": st.sampled_from([{"drop": ["NET_RAW"]}, {"add": ["NET_BIND_SERVICE"]}, {}]),
        "seccompProfile": st.sampled_from([{"type": "Unconfined"}, {"type": "RuntimeDefault"}]),
        "procMount": st.sampled_from(["Default", "Unmasked"]),
    },
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["trainer", "sidecar", "proxy"])},
        optional={
            "image": st.just("other:1"),
            "securityContext": SECURITY,
            "env": st.just([{"name": "USERS", "value": "2"}]),
            "ports": st.just([{"containerPort": 1}, {"containerPort": 2}]),
            "volumeMounts": st.just([{"name": "data", "mountPath": "/data"}]),
        },
    ),
    max_size=3,
    unique_by=lambda item: item["name"],
)
VOLUME = st.sampled_from([{"name": "data", "emptyDir": {}}, {"name": "home", "hostPath": {"path": "/"}}])
TEMPLATES = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS,
        "initContainers": CONTAINERS,
        "volumes": st.lists(VOLUME, max_size=2),
        "securityContext": SECURITY,
        "hostNetwork": st.booleans(),
        "serviceAccountName": st.just("trainer"),
        "automountServiceAccountToken": st.booleans(),
    },
)


def violations(pod: dict[str, Any]) -> list[str]:
    """What Pod Security `restricted` refuses, read from its documentation, not from our code."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"}
    allowed |= {"projected", "secret", "name"}
    found += [str(volume) for volume in pod.get("volumes", []) if set(volume) - allowed]
    outer = pod.get("securityContext", {})
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        inner = container.get("securityContext", {})
        effective = outer | inner
        found += [f"{container['name']}: {field}" for field in _breaches(inner, effective)]
        found += ["hostPort" for port in container.get("ports", []) if port.get("hostPort")]
    return found


def _breaches(inner: dict[str, Any], effective: dict[str, Any]) -> list[str]:
    rules = {
        "privileged": inner.get("privileged") in (None, False),
        "allowPrivilegeEscalation": inner.get("allowPrivilegeEscalation") is False,
        "capabilities.drop": "ALL" in inner.get("capabilities", {}).get("drop", []),
        "capabilities.add": set(inner.get("capabilities", {}).get("add", [])) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot": effective.get("runAsNonRoot") is True,
        "runAsUser": effective.get("runAsUser") != 0,
        "seccompProfile": effective.get("seccompProfile", {}).get("type") in {"RuntimeDefault", "Localhost"},
        "procMount": inner.get("procMount") in (None, "Default"),
    }
    return [name for name, holds in rules.items() if not holds]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(TEMPLATES)
def test_an_admitted_template_gives_a_restricted_pod(spec: dict[str, Any]) -> None:
    template = PodTemplate.model_validate({"spec": spec})
    assume(not problems_of(template, MAIN["name"]))
    assert violations(pods.merged_spec(template, MAIN, [HELPER])) == []


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


def test_the_template_itself_is_not_changed() -> None:
    template = PodTemplate.model_validate({"spec": {"containers": [{"name": "trainer"}]}})
    before = template.model_copy(deep=True)
    pods.merged_spec(template, MAIN, [HELPER])
    assert template == before


def test_credentials_are_given_by_reference() -> None:
    variables = pods.tracking_environment(make_context())
    secret = [item for item in variables if item["name"] in pods.CREDENTIAL_VARIABLES]
    assert len(secret) == 3
    assert all("value" not in item and item["valueFrom"]["secretKeyRef"]["optional"] for item in secret)


def test_an_mlflow_without_credentials_or_authority_needs_none() -> None:
    context = make_context(credentials_secret="", ca_config_map="")
    assert [item["name"] for item in pods.tracking_environment(context)] == [
        "MLFLOW_TRACKING_URI",
        "MLFLOW_DISABLE_TELEMETRY",
    ]
    assert pods.ca_mounts(context) == pods.ca_volumes(context) == []


def test_an_authority_is_mounted_where_its_variable_points() -> None:
    context = make_context(ca_config_map="ca")
    [mount], [volume] = pods.ca_mounts(context), pods.ca_volumes(context)
    path = next(item["value"] for item in pods.tracking_environment(context) if item["name"].endswith("CERT_PATH"))
    assert path.startswith(mount["mountPath"])
    assert (mount["name"], volume["configMap"]) == (volume["name"], {"name": "ca"})
