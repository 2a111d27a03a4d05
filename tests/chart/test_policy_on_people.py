"""RequirePodCreate, on a real API server: only who may create pods may write what makes them."""

import json
from collections.abc import Callable, Iterator

import pytest

from chart.cluster import Cluster
from chart.policies import ELSEWHERE, HERE, KINDS, make, policies, refusal_of, until
from chart.rendering import Helm
from support.kube import MERGE, Kube, Manifest, Refused, path_of

pytestmark = pytest.mark.chart

OF_BOTH = pytest.mark.parametrize("kind", KINDS)
RBAC = "rbac.authorization.k8s.io"

SUBJECTS: dict[str, tuple[list[tuple[str, str]], list[str], bool]] = {
    # (namespace, role), groups, whether a TrainingJob is theirs to write
    "an-administrator": ([], ["system:masters"], True),
    "trainer-without-pods": ([(HERE, "writer")], [], False),
    "trainer-with-pods": ([(HERE, "writer"), (HERE, "pod-maker")], [], True),
    "trainer-with-pods-elsewhere": ([(HERE, "writer"), (ELSEWHERE, "pod-maker")], [], False),
    "reader-of-pods": ([(HERE, "writer"), (HERE, "pod-reader")], [], False),
    "router": ([(HERE, "writer"), (HERE, "pod-maker"), (HERE, "route-maker")], [], True),
    "pods-by-a-group": ([(HERE, "writer")], ["pod-makers"], True),
    "pods-but-no-kinds": ([(HERE, "pod-maker")], [], False),
}

ROLES = {
    "writer": {"apiGroups": ["modelyard.io"], "resources": ["trainingjobs", "modeldeployments"], "verbs": ["*"]},
    "pod-maker": {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
    "route-maker": {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": ["create"]},
    "pod-reader": {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "delete"]},
}


def binding(name: str, namespace: str, role: str, subject: Manifest) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
        "subjects": [subject],
    }


def rights() -> Iterator[Manifest]:
    for namespace in (HERE, ELSEWHERE):
        for name, rule in ROLES.items():
            metadata = {"name": name, "namespace": namespace}
            yield {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]}
    for user, (roles, _, _) in SUBJECTS.items():
        for namespace, role in roles:
            yield binding(f"{user}-{role}", namespace, role, {"kind": "User", "apiGroup": RBAC, "name": user})
    group = {"kind": "Group", "apiGroup": RBAC, "name": "pod-makers"}
    yield binding("pod-makers", HERE, "pod-maker", group)


@pytest.fixture(scope="module")
def admin(cluster_with_kinds: Cluster) -> Kube:
    return Kube(cluster_with_kinds.control_plane.kubeconfig)


@pytest.fixture(scope="module")
def pods_required(
    helm: Helm, cluster_with_kinds: Cluster, admin: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Kube]]:
    """Every subject's client, with the policies of the defaults in force and one object of each kind to change."""
    plane = cluster_with_kinds.control_plane
    users = {
        user: Kube(plane.kubeconfig if groups == ["system:masters"] else plane.kubeconfig_for(user, groups))
        for user, (_, groups, _) in SUBJECTS.items()
    }
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(rights())})
    cluster_with_kinds.apply(text)
    for kind in KINDS:
        admin.apply(make(kind, "standing"))
    with policies(helm, cluster_with_kinds, {}, tmp_path_factory.mktemp("values")):
        for kind in KINDS:
            until(lambda kind=kind: refusal_of(users["trainer-without-pods"], make(kind)), f"the policy on {kind}")
        yield users
    for kind in KINDS:
        admin.delete(kind, HERE, "standing")
    cluster_with_kinds.output("delete", "-f", "-", stdin=text)


def create(kube: Kube, kind: str) -> None:
    kube.send("POST", path_of(kind, HERE), make(kind), query={"dryRun": "All"})


def update(kube: Kube, kind: str) -> None:
    live = kube.get(kind, HERE, "standing") or {}
    change = {"TrainingJob": {"suspend": True}, "ModelDeployment": {"replicas": 3}}[kind]
    kube.send("PUT", path_of(kind, HERE, "standing"), live | {"spec": live["spec"] | change}, query={"dryRun": "All"})


def patch(kube: Kube, kind: str) -> None:
    change = {"TrainingJob": {"retry": {"limit": 5}}, "ModelDeployment": {"paused": True}}[kind]
    path = path_of(kind, HERE, "standing")
    kube.send("PATCH", path, {"spec": change}, content_type=MERGE, query={"dryRun": "All"})


def apply(kube: Kube, kind: str) -> None:
    query = {"fieldManager": "gitops", "force": "true", "dryRun": "All"}
    manifest = make(kind, "applied")
    kube.send(
        "PATCH", path_of(kind, HERE, "applied"), manifest, content_type="application/apply-patch+yaml", query=query
    )


@OF_BOTH
@pytest.mark.parametrize("verb", [create, update, patch, apply], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("user", SUBJECTS)
def test_only_who_may_create_pods_may_write_what_makes_them(
    pods_required: dict[str, Kube], user: str, verb: Callable[[Kube, str], None], kind: str
) -> None:
    if SUBJECTS[user][2]:
        verb(pods_required[user], kind)
        return
    with pytest.raises(Refused) as refusal:
        verb(pods_required[user], kind)
    if "writer" in [role for _, role in SUBJECTS[user][0]]:
        told = refusal.value.message
        assert f"a {kind} runs pods, and {user} may not create pods in namespace {HERE}" in told
        assert "get a role there that may, such as edit" in told


@OF_BOTH
def test_what_asks_for_no_pod_needs_no_right_to_pods(pods_required: dict[str, Kube], admin: Kube, kind: str) -> None:
    kube = pods_required["trainer-without-pods"]
    kube.patch(kind, HERE, "standing", {"metadata": {"labels": {"team": "vision"}}})
    admin.apply(make(kind, "to-be-deleted"))
    kube.delete(kind, HERE, "to-be-deleted", propagationPolicy="Foreground")
    until(lambda: admin.get(kind, HERE, "to-be-deleted") is None, "the garbage collector may finish it")


ROUTE = {"gateway": {"name": "web"}, "hostnames": ["digits.example.org"]}


def test_only_who_may_create_routes_may_ask_for_one(pods_required: dict[str, Kube], admin: Kube) -> None:
    other, router = pods_required["trainer-with-pods"], pods_required["router"]
    with pytest.raises(Refused) as refusal:
        other.patch("ModelDeployment", HERE, "standing", {"spec": {"route": ROUTE}})
    assert f"trainer-with-pods may not create httproutes in namespace {HERE}" in refusal.value.message
    router.patch("ModelDeployment", HERE, "standing", {"spec": {"route": ROUTE}})
    other.patch("ModelDeployment", HERE, "standing", {"spec": {"paused": True}})
    with pytest.raises(Refused):
        other.patch("ModelDeployment", HERE, "standing", {"spec": {"route": ROUTE | {"hostnames": ["other.org"]}}})
    other.patch("ModelDeployment", HERE, "standing", {"spec": {"route": None}})
    admin.patch("ModelDeployment", HERE, "standing", {"spec": {"paused": False}})
