"""The rights: no more than the operator needs, and all that it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import yaml

from chart.cluster import Cluster
from chart.rendering import NAMESPACE, RELEASE, VALUES_SETS, Helm, is_test, of_kind, rules_of, values_file
from modelyard.engine.leader import Terms

pytestmark = pytest.mark.chart

LEASE = Terms(NAMESPACE, "any").name
OPERATOR = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"


@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_no_right_has_a_wildcard(helm: Helm, values_set: str) -> None:
    for role, rule in rules_of(helm.render(values_set)):
        words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert not [word for word in words if "*" in word], role["metadata"]["name"]


@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_no_right_reaches_secrets_or_into_pods(helm: Helm, values_set: str) -> None:
    forbidden = {"secrets", "pods/exec", "pods/attach", "pods/portforward", "pods/log", "pods/ephemeralcontainers"}
    for role, rule in rules_of(helm.render(values_set)):
        assert not forbidden & set(rule["resources"]), role["metadata"]["name"]
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), role["metadata"]["name"]


def test_with_named_namespaces_nothing_has_cluster_scope(helm: Helm) -> None:
    objects = helm.render("namespaced")
    assert not of_kind(objects, "ClusterRole")
    assert not of_kind(objects, "ClusterRoleBinding")
    roles = [role for role in of_kind(objects, "Role") if not is_test(role)]
    assert {role["metadata"]["namespace"] for role in roles} == {NAMESPACE, "team-a", "team-b"}


def test_a_named_cluster_needs_no_right_in_kube_system(helm: Helm) -> None:
    assert "kube-system" not in helm.template("--values", str(values_file("namespaced")))
    assert "namespace: kube-system" in helm.template("--values", str(values_file("default")))


def test_no_role_is_made_where_somebody_else_makes_them(helm: Helm) -> None:
    roles = [role for role, _ in rules_of(helm.render("digests")) if not is_test(role)]
    assert {role["metadata"]["labels"]["app.kubernetes.io/component"] for role in roles} == {"users"}


def test_roles_for_people_are_added_to_the_clusters_own(helm: Helm) -> None:
    labels = {
        role["metadata"]["name"]: {key.rpartition("/")[2] for key in role["metadata"]["labels"] if "aggregate" in key}
        for role in of_kind(helm.render("default"), "ClusterRole")
    }
    assert labels["modelyard-view"] == {"aggregate-to-view", "aggregate-to-edit", "aggregate-to-admin"}
    assert labels["modelyard-edit"] == {"aggregate-to-edit", "aggregate-to-admin"}
    assert labels["modelyard"] == set()


@dataclass(frozen=True)
class Request:
    """A request that somebody may or may not make."""

    verb: str
    group: str
    resource: str
    """With its subresource, if any, behind a slash."""
    namespace: str = "team-a"
    name: str = ""
    user: str = OPERATOR

    def as_review(self) -> dict[str, object]:
        resource, _, subresource = self.resource.partition("/")
        attributes = {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }
        kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
        return kind | {"spec": {"user": self.user, "resourceAttributes": attributes}}


def allowed(cluster: Cluster, requests: list[Request]) -> list[Request]:
    """Those of the requests that the API server would let pass."""
    text = yaml.safe_dump_all([request.as_review() for request in requests])
    verdicts = cluster.output("create", "-f", "-", "--output", 'jsonpath={.status.allowed}{"\\n"}', stdin=text).split()
    return [request for request, verdict in zip(requests, verdicts, strict=True) if verdict == "true"]


CHILDREN = [
    ("batch", "jobs"),
    ("apps", "deployments"),
    ("machinelearning.seldon.io", "seldondeployments"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("policy", "poddisruptionbudgets"),
    ("", "services"),
]
OWNERS = [("modelyard.io", plural) for plural in ("trainingjobs", "promotions", "modeldeployments")]
KINDS = [*OWNERS, ("modelyard.io", "promotionpolicies")]

NEEDED = [
    *(Request(verb, *kind) for kind in KINDS for verb in ("get", "list", "watch")),
    *(Request("patch", group, f"{resource}/status") for group, resource in KINDS),
    *(Request("update", group, f"{resource}/finalizers") for group, resource in OWNERS),
    *(Request(verb, *kind) for kind in CHILDREN for verb in ("get", "list", "watch", "create", "patch", "delete")),
    *(Request(verb, "", "pods") for verb in ("get", "list", "watch")),
    *(Request(verb, "events.k8s.io", "events") for verb in ("create", "list")),
    Request("delete", "modelyard.io", "trainingjobs"),
    Request("get", "gateway.networking.k8s.io", "gateways"),
    *(Request(verb, "modelyard.io", "promotions") for verb in ("create", "delete")),
]
"""In each namespace that is watched."""

CLUSTER_WIDE = [Request("get", "gateway.networking.k8s.io", "gatewayclasses", namespace="")]

AT_HOME = [
    Request("create", "coordination.k8s.io", "leases", namespace=NAMESPACE),
    *(Request(verb, "coordination.k8s.io", "leases", namespace=NAMESPACE, name=LEASE) for verb in ("get", "update")),
    Request("get", "", "namespaces", namespace="kube-system", name="kube-system"),
]

TOO_MUCH = [
    *(Request(verb, "", "secrets") for verb in ("get", "list", "watch", "create")),
    *(Request(verb, "", "configmaps") for verb in ("get", "list", "create")),
    *(Request(verb, "", "pods") for verb in ("create", "patch", "delete")),
    *(Request("create", "", resource) for resource in ("pods/exec", "pods/log", "pods/eviction")),
    *(Request(verb, *kind) for kind in KINDS for verb in ("update", "patch")),
    *(Request("create", "modelyard.io", kind) for kind in ("trainingjobs", "promotionpolicies", "modeldeployments")),
    *(Request("delete", "modelyard.io", kind) for kind in ("promotionpolicies", "modeldeployments")),
    *(Request("deletecollection", *kind) for kind in CHILDREN),
    Request("update", "coordination.k8s.io", "leases", namespace=NAMESPACE, name="somebody-elses"),
    Request("get", "coordination.k8s.io", "leases"),
    Request("get", "coordination.k8s.io", "leases", namespace="kube-system"),
    Request("get", "", "namespaces", namespace="team-a", name="team-a"),
    Request("list", "", "namespaces", namespace=""),
    Request("create", "rbac.authorization.k8s.io", "rolebindings"),
    Request("get", "", "nodes", namespace=""),
    *(Request(verb, "gateway.networking.k8s.io", "gateways") for verb in ("list", "create", "patch", "delete")),
    Request("patch", "gateway.networking.k8s.io", "gatewayclasses", namespace=""),
]


@contextmanager
def roles(helm: Helm, cluster: Cluster, values_set: str) -> Iterator[None]:
    """The roles of the chart, while it lasts."""
    objects = [each for each in helm.render(values_set) if "rbac" in each["apiVersion"] and not is_test(each)]
    text = yaml.safe_dump_all(objects)
    cluster.apply(text)
    try:
        yield
    finally:
        cluster.output("delete", "-f", "-", stdin=text)


def test_the_operator_may_do_what_it_does_and_nothing_else(helm: Helm, cluster_with_kinds: Cluster) -> None:
    with roles(helm, cluster_with_kinds, "default"):
        needed = NEEDED + AT_HOME + CLUSTER_WIDE
        assert allowed(cluster_with_kinds, needed) == needed
        assert allowed(cluster_with_kinds, TOO_MUCH) == []


def test_with_named_namespaces_the_operator_may_do_the_same_there_only(helm: Helm, cluster_with_kinds: Cluster) -> None:
    elsewhere = [replace(request, namespace="default") for request in NEEDED]
    with roles(helm, cluster_with_kinds, "namespaced"):
        assert allowed(cluster_with_kinds, NEEDED) == NEEDED
        assert allowed(cluster_with_kinds, [*elsewhere, *TOO_MUCH]) == []
