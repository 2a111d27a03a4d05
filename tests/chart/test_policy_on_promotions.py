"""Who may do what with Promotions, on a real API server: the chart's roles and its policy together."""

from collections.abc import Iterator

import pytest
import yaml

from chart.cluster import Cluster
from chart.policies import HERE, policies, until
from chart.rendering import NAMESPACE, RELEASE, Helm
from support.kube import MERGE, Kube, Manifest, Refused, path_of
from support.manifests import promotion

pytestmark = pytest.mark.chart

RBAC = "rbac.authorization.k8s.io"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"

SUBJECTS = {
    "vera": "modelyard-view",
    "edith": "modelyard-edit",
    "tom": "modelyard-trainer",
    "rita": "modelyard-release-manager",
    "ann": "modelyard-approver",
    OPERATOR: "modelyard",
}
"""Who has which of the chart's roles; Edith has what `edit` is given, too, and may read."""

ALLOWED, FORBIDDEN, FIXED = "allowed", "forbidden", "fixed"
"""What becomes of a request: it is done, it is nobody's to make who has these rights, or it is nobody's at all."""

EXPECTED = {
    # create, change the gates, approve, delete
    "vera": (FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN),
    "edith": (FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN),
    "tom": (FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN),
    "rita": (ALLOWED, FIXED, FORBIDDEN, ALLOWED),
    "ann": (FORBIDDEN, FIXED, ALLOWED, FORBIDDEN),
    OPERATOR: (ALLOWED, FORBIDDEN, FORBIDDEN, ALLOWED),
}
VERBS = ("create", "change", "approve", "delete")


def waiting(name: str = "waiting", **spec: object) -> Manifest:
    """A Promotion that nobody decided about."""
    manifest = promotion(name, approval={"required": True}, **spec)
    return manifest | {"metadata": {"name": name, "namespace": HERE}}


def bindings() -> Iterator[Manifest]:
    for user, role in SUBJECTS.items():
        for bound in {role, "modelyard-view"} if role == "modelyard-edit" else {role}:
            yield {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": f"{user.replace(':', '-')}-{bound}", "namespace": HERE},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": bound},
                "subjects": [{"kind": "User", "apiGroup": RBAC, "name": user}],
            }


@pytest.fixture(scope="module")
def admin(cluster_with_kinds: Cluster) -> Kube:
    return Kube(cluster_with_kinds.control_plane.kubeconfig)


@pytest.fixture(scope="module")
def people(
    helm: Helm, cluster_with_kinds: Cluster, admin: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Kube]]:
    """Everybody's client, with the chart's roles and its policy in force, and one Promotion that waits."""
    plane = cluster_with_kinds.control_plane
    users = {user: Kube(plane.kubeconfig_for(user, [])) for user in SUBJECTS}
    roles = [each for each in helm.render("default") if each["kind"] == "ClusterRole"]
    text = yaml.safe_dump_all([*roles, *bindings()])
    cluster_with_kinds.apply(text)
    admin.apply(waiting())
    with policies(helm, cluster_with_kinds, {}, tmp_path_factory.mktemp("values")):
        until(lambda: outcome(admin, "approve", by="somebody-else") == FORBIDDEN, "the policy on Promotions")
        yield users
    admin.delete("Promotion", HERE, "waiting")
    cluster_with_kinds.output("delete", "-f", "-", stdin=text)


def send(kube: Kube, verb: str, by: str) -> None:
    """One request of each kind; none of them is kept."""
    path, dry = path_of("Promotion", HERE, "waiting"), {"dryRun": "All"}
    if verb == "create":
        kube.send("POST", path_of("Promotion", HERE), waiting("made-now"), query=dry)
    elif verb == "delete":
        kube.send("DELETE", path, query=dry)
    else:
        gates = [{"name": "none", "metric": "accuracy", "min": "0"}]
        change = {"gates": gates} if verb == "change" else {"approval": {"decision": "Approved", "by": by}}
        kube.send("PATCH", path, {"spec": change}, content_type=MERGE, query=dry)


def outcome(kube: Kube, verb: str, by: str) -> str:
    try:
        send(kube, verb, by)
    except Refused as refusal:
        return {403: FORBIDDEN, 422: FIXED}.get(refusal.status, str(refusal))
    return ALLOWED


@pytest.mark.parametrize("user", EXPECTED)
def test_the_table_of_who_may_do_what(people: dict[str, Kube], user: str) -> None:
    assert tuple(outcome(people[user], verb, by=user) for verb in VERBS) == EXPECTED[user]


def refusal_of(kube: Kube, by: str, comment: str | None = None) -> str:
    change = {"decision": "Approved", "by": by} | ({"comment": comment} if comment else {})
    with pytest.raises(Refused) as refusal:
        kube.patch("Promotion", HERE, "waiting", {"spec": {"approval": change}})
    return refusal.value.message


def test_nobody_decides_in_another_name(people: dict[str, Kube]) -> None:
    told = refusal_of(people["ann"], by="bob")
    assert "spec.approval.by is bob, but ann decides here: everybody decides in their own name" in told


def test_who_lacks_the_verb_is_told_which_role_has_it(people: dict[str, Kube]) -> None:
    told = refusal_of(people["rita"], by="rita")
    assert f"spec.approval: rita may not approve promotions in namespace {HERE}" in told
    assert "get a role there with the verb approve on promotions, such as modelyard-approver" in told


def test_a_decision_is_final_for_the_approver_too(people: dict[str, Kube], admin: Kube) -> None:
    admin.apply(waiting("decided"))
    ann = people["ann"]
    ann.patch("Promotion", HERE, "decided", {"spec": {"approval": {"decision": "Rejected", "by": "ann"}}})
    with pytest.raises(Refused, match="cannot change once it is made"):
        ann.patch("Promotion", HERE, "decided", {"spec": {"approval": {"decision": "Approved"}}})
    admin.delete("Promotion", HERE, "decided")


def test_a_promotion_is_not_made_with_its_approval_by_one_who_may_not_approve(people: dict[str, Kube]) -> None:
    made = promotion("made-decided", approval={"required": True, "decision": "Approved", "by": "rita"})
    with pytest.raises(Refused, match="rita may not approve"):
        people["rita"].create(made | {"metadata": {"name": "made-decided", "namespace": HERE}})


def test_only_the_operator_makes_promotions_in_the_name_of_a_policy(people: dict[str, Kube]) -> None:
    made, dry = waiting("made-by-policy", policy="digits"), {"dryRun": "All"}
    with pytest.raises(Refused, match="only the operator makes Promotions in the name of a PromotionPolicy"):
        people["rita"].send("POST", path_of("Promotion", HERE), made, query=dry)
    people[OPERATOR].send("POST", path_of("Promotion", HERE), made, query=dry)


def test_labels_and_finalizers_are_no_decision(people: dict[str, Kube]) -> None:
    people["rita"].patch("Promotion", HERE, "waiting", {"metadata": {"labels": {"team": "vision"}}})


@pytest.mark.usefixtures("people")
def test_kubectl_auth_can_i_answers(cluster_with_kinds: Cluster) -> None:
    answers = {
        user: cluster_with_kinds.kubectl(
            "auth", "can-i", "approve", "promotions.modelyard.io", f"--as={user}", f"--namespace={HERE}"
        ).stdout.strip()
        for user in SUBJECTS
    }
    assert answers == {user: "yes" if user == "ann" else "no" for user in SUBJECTS}


@pytest.mark.parametrize("kind", ["promotionpolicies", "promotions"])
def test_the_clusters_own_role_edit_is_given_no_right_to_write_them(helm: Helm, kind: str) -> None:
    given = {
        verb
        for role in helm.render("default")
        if role["kind"] == "ClusterRole" and any("aggregate-to-" in label for label in role["metadata"]["labels"])
        for rule in role["rules"]
        if kind in rule["resources"]
        for verb in rule["verbs"]
    }
    assert given == {"get", "list", "watch"}
