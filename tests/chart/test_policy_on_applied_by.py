"""Who applied it, on a real API server: written down at creation, whoever says otherwise, and never changed."""

from collections.abc import Iterator

import pytest

from chart.cluster import Cluster
from chart.policies import HERE, KINDS, make, policies, until
from chart.rendering import Helm, of_kind, operator_environment, values_file
from support.kube import Kube, Manifest, path_of

pytestmark = pytest.mark.chart

OF_BOTH = pytest.mark.parametrize("kind", KINDS)
ANNOTATION = "modelyard.io/applied-by"
SERVED = ("--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy")
VALUES = {"admission": {"recordUser": "Always", "trainingJobs": "Off", "modelDeployments": "Off"}}


def said_by(manifest: Manifest | None) -> str | None:
    found: str | None = ((manifest or {})["metadata"].get("annotations") or {}).get(ANNOTATION)
    return found


def claiming(kind: str, name: str, who: str) -> Manifest:
    manifest = make(kind, name)
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {ANNOTATION: who, "note": "kept"}}}


@pytest.fixture(scope="module")
def admin(cluster_with_kinds: Cluster) -> Kube:
    return Kube(cluster_with_kinds.control_plane.kubeconfig)


@pytest.fixture(scope="module")
def alice(
    helm: Helm, cluster_with_kinds: Cluster, admin: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kube]:
    """Somebody who may do everything, with the policy in force and an object of each kind that is older than it."""
    plane = cluster_with_kinds.control_plane
    user = Kube(plane.kubeconfig_for("alice", ["system:masters"]))
    for kind in KINDS:
        admin.apply(make(kind, "older"))
    with policies(helm, cluster_with_kinds, VALUES, tmp_path_factory.mktemp("values")):
        for kind in KINDS:
            path = path_of(kind, HERE)
            until(
                lambda kind=kind, path=path: said_by(user.send("POST", path, make(kind), query={"dryRun": "All"})),
                f"the policy on {kind}",
            )
        yield user
    for kind in KINDS:
        admin.delete(kind, HERE, "older")


@pytest.fixture
def made(alice: Kube, admin: Kube, kind: str) -> Iterator[Manifest]:
    """An object of alice's, who says that somebody else made it."""
    yield alice.send("POST", path_of(kind, HERE), claiming(kind, "hers", "bob"))
    admin.delete(kind, HERE, "hers")


@OF_BOTH
def test_who_creates_an_object_is_written_into_it_whatever_it_says(made: Manifest, kind: str) -> None:
    assert said_by(made) == "alice", kind
    assert made["metadata"]["annotations"]["note"] == "kept"


@OF_BOTH
@pytest.mark.parametrize("told", ["bob", None])
@pytest.mark.usefixtures("made")
def test_nobody_changes_it_afterwards(admin: Kube, kind: str, told: str | None) -> None:
    changed = admin.patch(kind, HERE, "hers", {"metadata": {"annotations": {ANNOTATION: told, "note": "changed"}}})
    assert said_by(changed or admin.get(kind, HERE, "hers")) == "alice"
    assert (admin.get(kind, HERE, "hers") or {})["metadata"]["annotations"]["note"] == "changed"


@OF_BOTH
@pytest.mark.usefixtures("made")
def test_applying_it_again_changes_nothing_of_it(admin: Kube, kind: str) -> None:
    admin.apply(make(kind, "hers"))
    admin.apply(claiming(kind, "hers", "bob"))
    admin.apply(make(kind, "hers"))
    assert said_by(admin.get(kind, HERE, "hers")) == "alice"


@OF_BOTH
def test_of_an_object_that_is_older_than_the_policy_nobody_can_be_named(alice: Kube, kind: str) -> None:
    alice.patch(kind, HERE, "older", {"metadata": {"labels": {"team": "vision"}}})
    assert said_by(alice.get(kind, HERE, "older")) is None, "nothing is written where nothing is known"
    alice.patch(kind, HERE, "older", {"metadata": {"annotations": {ANNOTATION: "bob"}}})
    assert said_by(alice.get(kind, HERE, "older")) == ""


@pytest.mark.parametrize(
    ("arguments", "is_there"),
    [
        ((), False),
        (SERVED, True),
        ((*SERVED, "--set", "admission.recordUser=Never"), False),
        (("--set", "admission.recordUser=Always"), True),
    ],
    ids=["not served", "served", "not wanted", "wanted"],
)
def test_it_is_installed_where_the_api_server_has_it_and_the_operator_believes_it_only_then(
    helm: Helm, arguments: tuple[str, ...], is_there: bool
) -> None:
    objects = helm.objects("--values", str(values_file("default")), *arguments)
    assert bool(of_kind(objects, "MutatingAdmissionPolicy")) is is_there
    assert operator_environment(objects).get("MODELYARD_RECORD_USER") == ("true" if is_there else None)
