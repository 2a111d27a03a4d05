"""Names of registered models held to their namespace, on a real API server."""

from collections.abc import Callable, Iterator

import pytest

from chart.cluster import Cluster
from chart.policies import HERE, policies, refusal_of, until
from chart.rendering import Helm
from support import manifests
from support.kube import Kube, Manifest

pytestmark = pytest.mark.chart

KINDS: dict[str, Callable[[str], Manifest]] = {
    "TrainingJob": lambda model: manifests.training_job("named", model={"name": model}),
    "ModelDeployment": lambda model: manifests.model_deployment("named", {"name": model, "alias": "champion"}),
    "PromotionPolicy": lambda model: manifests.promotion_policy("named", model),
    "Promotion": lambda model: manifests.promotion("named", model),
}


def make(kind: str, model: str, name: str = "named") -> Manifest:
    return KINDS[kind](model) | {"metadata": {"name": name, "namespace": HERE}}


@pytest.fixture(scope="module")
def admin(cluster_with_kinds: Cluster) -> Kube:
    return Kube(cluster_with_kinds.control_plane.kubeconfig)


@pytest.fixture(scope="module")
def _held_apart(
    helm: Helm, cluster_with_kinds: Cluster, admin: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """The policy is in force; a training of before it has another name."""
    admin.apply(make("TrainingJob", "digits", "from-before"))
    values = {"admission": {"modelNames": "Namespaced"}}
    with policies(helm, cluster_with_kinds, values, tmp_path_factory.mktemp("values")):
        until(lambda: refusal_of(admin, make("TrainingJob", "digits")), "the policy on names")
        yield
    admin.delete("TrainingJob", HERE, "from-before")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", ["digits", "team-b.digits", f"{HERE}-x.digits", f"X{HERE}.digits", HERE])
@pytest.mark.usefixtures("_held_apart")
def test_another_namespaces_name_is_refused_and_the_cure_is_told(admin: Kube, kind: str, model: str) -> None:
    told = refusal_of(admin, make(kind, model))
    assert f"spec.model.name: registered models of namespace {HERE} are named {HERE}.<name> here" in told
    assert f"name it {HERE}.{model}" in told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("_held_apart")
def test_a_name_of_the_own_namespace_is_accepted(admin: Kube, kind: str) -> None:
    assert refusal_of(admin, make(kind, f"{HERE}.digits")) == ""


@pytest.mark.usefixtures("_held_apart")
def test_a_training_without_a_model_needs_no_name(admin: Kube) -> None:
    assert refusal_of(admin, manifests.training_job() | {"metadata": {"name": "no-model", "namespace": HERE}}) == ""


@pytest.mark.usefixtures("_held_apart")
def test_what_has_another_name_from_before_can_still_be_suspended(admin: Kube) -> None:
    admin.patch("TrainingJob", HERE, "from-before", {"spec": {"suspend": True}})
