"""What an administrator decides wins over every template, and what they forbid is named."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modelyard.api.base import PodTemplate, ResourceRequirements
from modelyard.core.matching import amount
from modelyard.core.pod_policy import NO_SETTINGS, PodPolicy, asked_of, enforced, problems_of

TRAINER = "spec.trainer.resources"
POD = "spec.podTemplate.spec"
CAPS = {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": 1}


def policy(**fields: object) -> PodPolicy:
    return PodPolicy.model_validate(fields)


def problems(policy: PodPolicy, spec: dict[str, Any] | None = None, **resources: dict[str, Any]) -> list[str]:
    template = PodTemplate.model_validate({"spec": spec}) if spec is not None else None
    return problems_of(policy, template, asked_of(TRAINER, ResourceRequirements.model_validate(resources)))


def side(**resources: object) -> dict[str, Any]:
    return {"containers": [{"name": "side", "resources": resources}]}


@pytest.mark.parametrize(
    ("spec", "resources", "named"),
    [
        ({}, {"limits": {"cpu": "4001m"}}, f"{TRAINER}.limits.cpu: 4001m is above the administrator's limit of 4"),
        ({}, {"requests": {"memory": "9Gi"}}, f"{TRAINER}.requests.memory: 9Gi"),
        ({}, {"limits": {"nvidia.com/gpu": 2}}, f"{TRAINER}.limits.nvidia.com/gpu: 2"),
        ({}, {"limits": {"memory": "5."}}, f"{TRAINER}.limits.memory: 5."),
        (side(limits={"cpu": 5}), {}, f"{POD}.containers[side].resources.limits.cpu: 5"),
        ({"initContainers": side(limits={"cpu": 5})["containers"]}, {}, f"{POD}.initContainers[side].resources.limits"),
        ({"resources": {"limits": {"memory": "16Gi"}}}, {}, f"{POD}.resources.limits.memory: 16Gi"),
        ({"resourceClaims": [{"name": "gpu"}]}, {}, f"{POD}.resourceClaims: devices by claims"),
        (side(claims=[{"name": "gpu"}]), {}, f"{POD}.containers[side].resources.claims: devices by claims"),
    ],
)
def test_more_than_the_administrator_allows_is_named(
    spec: dict[str, Any], resources: dict[str, Any], named: str
) -> None:
    [problem] = problems(policy(maxResources=CAPS), spec, **resources)
    assert problem.startswith(named)
    assert problem.endswith(("lower it", "remove it", "or 8Gi"))


@pytest.mark.parametrize(
    "resources",
    [
        {},
        {"limits": {"cpu": 4, "memory": "8192Mi", "nvidia.com/gpu": "1"}},
        {"requests": {"cpu": "4000m"}, "limits": {"memory": "8Gi", "example.com/fpga": 100}},
    ],
)
def test_what_is_within_is_allowed(resources: dict[str, Any]) -> None:
    assert problems(policy(maxResources=CAPS), **resources) == []


def test_an_administrator_who_decided_nothing_forbids_nothing() -> None:
    spec = side(limits={"cpu": 500}, claims=[{"name": "gpu"}]) | {"serviceAccountName": "strong"}
    assert problems(NO_SETTINGS, spec, limits={"memory": "1Ti"}) == []
    assert enforced(NO_SETTINGS, spec) == spec


@pytest.mark.parametrize(("allowed", "told"), [(["trainer", "x"], "(trainer, x)"), ([], "(none)")])
def test_only_listed_accounts_may_be_named(allowed: list[str], told: str) -> None:
    [problem] = problems(policy(serviceAccounts=allowed), {"serviceAccountName": "strong"})
    assert problem.startswith(f"{POD}.serviceAccountName: strong is not one of the service accounts")
    assert told in problem
    assert problems(policy(serviceAccounts=[*allowed, "strong"]), {"serviceAccountName": "strong"}) == []
    assert problems(policy(serviceAccounts=allowed), {}) == []


def test_a_container_without_a_limit_gets_the_cap_and_is_scheduled_as_before() -> None:
    pod = enforced(policy(maxResources=CAPS), {"containers": [{"name": "trainer"}]})
    assert pod["containers"][0]["resources"] == {
        "limits": {"cpu": "4", "memory": "8Gi"},
        "requests": {"cpu": "0", "memory": "0"},
    }


def test_lists_that_are_null_are_none() -> None:
    assert enforced(policy(maxResources=CAPS), {"initContainers": None})["initContainers"] is None


def test_a_request_of_the_containers_own_stays() -> None:
    given = {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}}
    pod = enforced(policy(maxResources={"cpu": 4, "memory": "8Gi"}), {"containers": [{"resources": given}]})
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "2"},
        "limits": {"cpu": 4, "memory": "1Gi"},
    }


def test_an_account_of_the_administrators_brings_no_token_to_who_did_not_ask_for_it() -> None:
    ours = policy(serviceAccountName="ours")
    assert enforced(ours, {"serviceAccountName": "theirs"})["automountServiceAccountToken"] is False
    assert "automountServiceAccountToken" not in enforced(ours, {"serviceAccountName": "ours"})
    assert enforced(ours, {"automountServiceAccountToken": False})["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"maxResources": {"memory": "much"}}, "maxResources.memory: 'much' is not a quantity"),
        ({"maxResources": {"cpu": "-1"}}, "maxResources.cpu"),
        ({"nodeSelector": {"gpu": True}}, "nodeSelector.gpu"),
        ({"tolerations": ["gpu"]}, "tolerations.0"),
        ({"nodeselector": {}}, "nodeselector"),
    ],
)
def test_settings_that_are_none_are_refused_by_name(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        policy(**fields)


ODD = st.sampled_from([None, "x", 1, [], ["x"], {}, {"a": "b"}])
AMOUNTS = st.dictionaries(
    st.sampled_from(["cpu", "memory", "nvidia.com/gpu", "ephemeral-storage"]),
    st.sampled_from([1, "500m", "1Ti", "5.", "64", "0", "much", "1e3"]),
)
RESOURCES = st.fixed_dictionaries({}, optional={"requests": AMOUNTS | ODD, "limits": AMOUNTS | ODD}) | ODD
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["trainer", "side"])}, optional={"resources": RESOURCES}), max_size=2
)
PODS = st.fixed_dictionaries(
    {"containers": CONTAINERS},
    optional={
        "initContainers": CONTAINERS,
        "nodeSelector": st.dictionaries(st.sampled_from(["pool", "zone"]), st.just("theirs")) | ODD,
        "tolerations": st.lists(st.just({"operator": "Exists"}), max_size=2) | ODD,
        "serviceAccountName": st.sampled_from(["strong", "ours", ""]),
        "automountServiceAccountToken": st.booleans(),
        "priorityClassName": st.just("theirs"),
        "runtimeClassName": st.just("theirs"),
        "resources": RESOURCES,
    },
)
EVERYTHING = policy(
    nodeSelector={"pool": "training"},
    tolerations=[{"key": "training", "operator": "Exists"}],
    serviceAccountName="ours",
    priorityClassName="ours",
    runtimeClassName="ours",
    maxResources={"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": 1, "ephemeral-storage": "10Gi"},
)


@settings(max_examples=300, deadline=None)
@given(PODS)
def test_whatever_the_template_the_administrators_settings_win(spec: dict[str, Any]) -> None:
    pod = enforced(EVERYTHING, spec)
    assert pod["nodeSelector"]["pool"] == "training"
    assert EVERYTHING.tolerations[0] in pod["tolerations"]
    named = {pod[field] for field in ("serviceAccountName", "priorityClassName", "runtimeClassName")}
    assert named == {"ours"}
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        for resource, most in EVERYTHING.max_resources.items():
            limits = container["resources"]["limits"]
            assert amount(limits.get(resource, "0")) <= amount(most)
            requests = container["resources"].get("requests")
            if isinstance(requests, dict):  # anything else is refused by the API server
                assert amount(requests.get(resource, "0")) <= amount(most)
            assert resource in limits or resource == "nvidia.com/gpu"
