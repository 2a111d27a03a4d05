"""Restrict, on a real API server: nobody's pod template gains more than its namespace gives everybody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chart.cluster import Cluster
from chart.policies import ELSEWHERE, HERE, KINDS, make, policies, refusal_of, until
from chart.rendering import TEMPLATE, Helm, of_kind
from support.escalations import ESCALATIONS
from support.kube import Kube, Manifest, Refused

pytestmark = pytest.mark.chart

OF_BOTH = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def admin(cluster_with_kinds: Cluster) -> Kube:
    return Kube(cluster_with_kinds.control_plane.kubeconfig)


@pytest.fixture(scope="module")
def restricted(
    helm: Helm, cluster_with_kinds: Cluster, admin: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The policies restrict what pod templates say, in one of two namespaces only."""
    values = {
        "admission": {"trainingJobs": "Restrict", "modelDeployments": "Restrict", "serviceAccounts": ["trainer", "x"]},
        "watchNamespaces": [HERE],
    }
    with policies(helm, cluster_with_kinds, values, tmp_path_factory.mktemp("values")):
        for kind in KINDS:
            probe = make(kind, podTemplate={"spec": {"hostPID": True}})
            until(lambda probe=probe: refusal_of(admin, probe), f"the policy on {kind}")
        yield


@OF_BOTH
@pytest.mark.parametrize("gain", ESCALATIONS)
@pytest.mark.usefixtures("restricted")
def test_a_template_that_gains_more_is_refused_with_its_field(admin: Kube, kind: str, gain: str) -> None:
    template, named = ESCALATIONS[gain]
    told = refusal_of(admin, make(kind, podTemplate={"spec": template}))
    assert named in told
    assert "resulted in error" not in told
    assert any(cure in told for cure in ("remove", "use a", "leave it out", "set runAsUser")), told


@OF_BOTH
@pytest.mark.parametrize("account", ["strong", "default"])
@pytest.mark.usefixtures("restricted")
def test_an_account_that_is_not_listed_is_refused(admin: Kube, kind: str, account: str) -> None:
    told = refusal_of(admin, make(kind, podTemplate={"spec": {"serviceAccountName": account}}))
    assert f"spec.podTemplate.spec.serviceAccountName: {account} is not one of the service accounts" in told
    assert "(trainer, x): name one of those, or leave it out" in told


MISSHAPEN: list[tuple[dict[str, Any], str]] = [
    ({"containers": "many"}, "spec.podTemplate.spec.containers must be a list of objects"),
    ({"initContainers": [1]}, "spec.podTemplate.spec.initContainers must be a list of objects"),
    ({"volumes": {"a": 1}}, "spec.podTemplate.spec.volumes must be a list of objects"),
    ({"securityContext": "x"}, "every securityContext must be an object"),
]


@OF_BOTH
@pytest.mark.parametrize(("template", "named"), MISSHAPEN)
@pytest.mark.usefixtures("restricted")
def test_what_is_no_template_is_refused_in_words(admin: Kube, kind: str, template: dict[str, Any], named: str) -> None:
    assert named in refusal_of(admin, make(kind, podTemplate={"spec": template}))


HARMLESS: dict[str, Any] = {
    "serviceAccountName": "trainer",
    "nodeSelector": {"gpu": "yes"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "hostNetwork": False,
    "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ],
    "initContainers": [{"name": "i", "image": "x", "securityContext": {"capabilities": {"drop": ["ALL"]}}}],
    "containers": [{"name": "side", "image": "x", "ports": [{"containerPort": 80}]}],
}


@OF_BOTH
@pytest.mark.usefixtures("restricted")
def test_a_harmless_template_is_accepted(admin: Kube, kind: str) -> None:
    assert refusal_of(admin, make(kind, podTemplate={"spec": HARMLESS})) == ""
    assert refusal_of(admin, make(kind)) == ""


@OF_BOTH
@pytest.mark.usefixtures("restricted")
def test_a_harmful_change_is_refused_like_a_harmful_object(admin: Kube, kind: str) -> None:
    admin.apply(make(kind, "standing", **({"suspend": True} if kind == "TrainingJob" else {})))
    change = {"spec": {"podTemplate": {"spec": {"hostPID": True}}}}
    with pytest.raises(Refused, match=r"spec\.podTemplate\.spec\.hostPID"):
        admin.patch(kind, HERE, "standing", change)
    admin.delete(kind, HERE, "standing")


@OF_BOTH
@pytest.mark.usefixtures("restricted")
def test_namespaces_that_the_operator_does_not_watch_are_left_alone(admin: Kube, kind: str) -> None:
    manifest = make(kind, podTemplate={"spec": {"hostPID": True}})
    elsewhere = manifest | {"metadata": manifest["metadata"] | {"namespace": ELSEWHERE}}
    assert refusal_of(admin, elsewhere) == ""


@pytest.mark.usefixtures("restricted")
def test_the_api_server_finds_nothing_odd_in_the_policies(cluster_with_kinds: Cluster) -> None:
    def checked() -> list[Manifest | None]:
        found = json.loads(cluster_with_kinds.output("get", "validatingadmissionpolicies", "--output", "json"))
        return [each.get("status", {}).get("typeChecking") for each in found["items"]]

    until(lambda: None not in checked(), "the policies' types are checked")
    assert len(checked()) >= len(KINDS)
    assert all(odd == {} for odd in checked())


@pytest.mark.parametrize(
    ("values_set", "expected"),
    [("default", ["RequirePodCreate"] * 2), ("everything", ["Restrict"] * 2), ("namespaced", [])],
)
def test_each_kind_has_the_policy_that_was_chosen(helm: Helm, values_set: str, expected: list[str]) -> None:
    objects = helm.render(values_set)
    every = of_kind(objects, "ValidatingAdmissionPolicy")
    found = [each for each in every if _resources(each) in (["trainingjobs"], ["modeldeployments"])]
    modes = ["Restrict" if "variables" in each["spec"] else "RequirePodCreate" for each in found]
    assert modes == expected
    bound = [each["spec"]["policyName"] for each in of_kind(objects, "ValidatingAdmissionPolicyBinding")]
    assert sorted(bound) == sorted(each["metadata"]["name"] for each in every)
    assert all(each["spec"]["failurePolicy"] == "Fail" for each in every)


def _resources(policy: Manifest) -> list[str]:
    """What a policy is about."""
    return [name for each in policy["spec"]["matchConstraints"]["resourceRules"] for name in each["resources"]]


def test_a_cluster_that_is_too_old_is_told_what_to_set(helm: Helm) -> None:
    done = helm.run(*TEMPLATE, "--kube-version", "1.29.4")
    assert "needs Kubernetes 1.30" in done.stderr
    assert "Off" in done.stderr
    off = [
        part
        for name in ("trainingJobs", "modelDeployments", "promotions")
        for part in ("--set", f"admission.{name}=Off")
    ]
    assert helm.run(*TEMPLATE, "--kube-version", "1.29.4", *off).returncode == 0


def test_the_charts_own_test_may_make_its_trainingjob(helm: Helm) -> None:
    def may_make_pods(*arguments: str) -> bool:
        roles = [each for each in helm.objects(*arguments) if each["kind"] == "Role"]
        return any(
            "pods" in rule["resources"] and "create" in rule["verbs"] for each in roles for rule in each["rules"]
        )

    assert may_make_pods()
    assert not may_make_pods("--set", "admission.trainingJobs=Restrict")
