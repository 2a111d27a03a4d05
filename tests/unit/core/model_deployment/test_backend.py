"""A version serves once every wanted pod is of it; the backend's own word is no proof."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import (
    laid_out,
    make_context,
    make_deployment,
    make_model_deployment,
    make_seldon_child,
    make_seldon_deployment,
    make_serving_pod,
)
from modelyard.core.model_deployment.backend import Backend, PredictorState, Servers
from modelyard.core.model_deployment.deployment import DeploymentBackend
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.seldon import SeldonBackend
from modelyard.core.plan import Manifest

RESOURCE = make_model_deployment().with_replicas(2).build()


def servers(backend: Backend, *objects: Manifest, pods: tuple[Manifest, ...] = ()) -> Servers:
    return backend.observe(RESOURCE, Observed(make_context(), objects=objects, pods=pods))


def observed(backend: Backend, *objects: Manifest, pods: tuple[Manifest, ...] = ()) -> PredictorState:
    return servers(backend, *objects, pods=pods).stable


def test_nothing_is_applied_before_anything_is() -> None:
    assert observed(DeploymentBackend()) == observed(SeldonBackend()) == PredictorState()


@pytest.mark.parametrize(
    ("counts", "rolled_out"),
    [
        ((2, 2, 2), "1"),
        ((3, 2, 2), None),
        ((2, 1, 2), None),
        ((2, 2, 1), None),
        ((0, 0, 0), None),
    ],
)
def test_a_version_is_rolled_out_when_all_pods_are_of_it(counts: tuple[int, int, int], rolled_out: str | None) -> None:
    deployment = make_deployment(RESOURCE, "1").with_counts(*counts).build()
    assert observed(DeploymentBackend(), deployment).rolled_out_version == rolled_out


def test_counts_of_an_older_generation_prove_nothing() -> None:
    deployment = make_deployment(RESOURCE, "2").rolled_out().unseen().build()
    assert observed(DeploymentBackend(), deployment).rolled_out_version is None


def test_seldons_available_proves_nothing() -> None:
    seldon = make_seldon_deployment(RESOURCE, "2").changed("status", to={"state": "Available"}).build()
    state = observed(SeldonBackend(), seldon, make_seldon_child(RESOURCE, "1").rolled_out().build())
    assert (state.applied_version, state.rolled_out_version) == ("2", "1")


def test_seldons_deployments_count_only_if_they_are_its_own() -> None:
    foreign = make_seldon_child(RESOURCE, "2").rolled_out().changed("metadata", "ownerReferences", to=[]).build()
    state = observed(SeldonBackend(), make_seldon_deployment(RESOURCE, "2").build(), foreign)
    assert (state.rolled_out_version, state.available) == (None, 0)


def test_what_seldon_refuses_is_told() -> None:
    state = observed(SeldonBackend(), make_seldon_deployment(RESOURCE, "1").refused("no graph").build())
    assert state.trouble is not None
    assert (state.trouble.reason, state.trouble.message) == ("BackendFailed", "Seldon says: no graph")


def test_a_deployment_with_our_labels_may_be_anothers() -> None:
    copied = make_deployment(RESOURCE, "1").rolled_out().changed("metadata", "ownerReferences", to=[]).build()
    assert observed(DeploymentBackend(), copied) == PredictorState()


def test_trouble_of_another_versions_pods_is_not_this_ones() -> None:
    deployment = make_deployment(RESOURCE, "2").half_rolled_out().build()
    old, new = make_serving_pod(RESOURCE, "1").crashing("old"), make_serving_pod(RESOURCE, "2").crashing("new")
    state = observed(DeploymentBackend(), deployment, pods=(old.build(), new.build()))
    assert state.trouble is not None
    assert "new" in state.trouble.message


def test_a_pod_that_is_going_has_no_trouble_any_more() -> None:
    deployment = make_deployment(RESOURCE, "1").rolled_out().build()
    going = make_serving_pod(RESOURCE, "1").crashing("x").terminating().build()
    assert observed(DeploymentBackend(), deployment, pods=(going,)).trouble is None


def test_pods_that_are_not_let_in_are_trouble() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    deployment = make_deployment(RESOURCE, "1").changed("status", to={"conditions": [refused]}).build()
    state = observed(DeploymentBackend(), deployment)
    assert state.trouble is not None
    assert (state.trouble.reason, state.trouble.message) == ("FailedCreate", "exceeded quota")


LAYOUT = Layout(Predictor(STABLE, "1", 2), Predictor(CANARY, "2", 1), 25)
COUNTS = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def laid_out_with(backend: str, *, seldon_status: Manifest | None = None) -> list[Manifest]:
    """Two predictors of which the canary alone has rolled out."""
    objects = laid_out(RESOURCE, LAYOUT, make_context(), backend)
    if backend == "Deployment":
        [made] = [item for item in objects if (item["kind"], item["metadata"]["name"]) == (backend, "digits-canary")]
        made["status"] = COUNTS
        return objects
    objects[0]["status"] = seldon_status or {}
    child = make_seldon_child(RESOURCE, "2", CANARY).changed("spec", "replicas", to=1).changed("status", to=COUNTS)
    return [*objects, make_seldon_child(RESOURCE, "1").half_rolled_out().build(), child.build()]


BOTH = pytest.mark.parametrize("backend", [DeploymentBackend(), SeldonBackend()], ids=lambda each: each.kind)


@BOTH
def test_each_predictor_is_told_of_by_its_own_pods(backend: Backend) -> None:
    crashing = make_serving_pod(RESOURCE, "2", CANARY).crashing("of the canary").build()
    found = servers(backend, *laid_out_with(backend.kind), pods=(crashing,))
    assert (found.stable.applied_version, found.stable.rolled_out_version, found.stable.trouble) == ("1", None, None)
    assert found.canary is not None
    assert found.canary.has_rolled_out(Predictor(CANARY, "2", 1))
    assert not found.canary.has_rolled_out(Predictor(CANARY, "2", 2))
    assert found.canary.trouble is not None


@BOTH
def test_what_is_left_of_a_canary_that_goes_is_no_canary_that_is_wanted(backend: Backend) -> None:
    objects = laid_out_with(backend.kind)
    for item in objects:
        if item["metadata"]["name"] == "digits-canary":
            item["metadata"]["deletionTimestamp"] = "2026-01-05T11:59:59Z"
        if item["kind"] == "SeldonDeployment":
            item["spec"]["predictors"].pop()
    left = servers(backend, *objects).canary
    assert left is not None
    assert (left.applied_version, left.available) == (None, 1)
    gone = [item for item in objects if "canary" not in item["metadata"]["name"]]
    assert servers(backend, *gone).canary is None


LIES: list[Manifest] = [
    {},
    {"state": "Available"},
    {"state": "Creating"},
    {"state": "Available", "deploymentStatus": {"digits-main-0-model": {"replicas": 2, "availableReplicas": 2}}},
    {"state": "Available", "conditions": [{"type": "Ready", "status": "True"}]},
]


RECORDED = yaml.safe_load((Path(__file__).parents[3] / "data" / "seldon-1.17.1" / "timeline.yaml").read_text())


def told_at(row: Manifest) -> Manifest:
    """The status of one moment of the recording."""
    ready = {"type": "Ready", "status": row["ready"]}
    return {"state": row["state"], "deploymentStatus": row["deploymentStatus"], "conditions": [ready]}


@pytest.mark.parametrize("status", [*LIES, *(told_at(row) for row in RECORDED)])
def test_whatever_seldons_status_says_pods_decide(status: Manifest) -> None:
    found = servers(SeldonBackend(), *laid_out_with("SeldonDeployment", seldon_status=status))
    assert found == servers(SeldonBackend(), *laid_out_with("SeldonDeployment"))


def test_what_seldon_refuses_is_told_of_both_predictors() -> None:
    refused = {"state": "Failed", "description": "no graph"}
    found = servers(SeldonBackend(), *laid_out_with("SeldonDeployment", seldon_status=refused))
    assert found.canary is not None
    assert [state.trouble and state.trouble.reason for state in (found.stable, found.canary)] == ["BackendFailed"] * 2


@pytest.mark.parametrize("is_served", [True, False])
def test_seldon_is_there_when_its_kind_is_served(is_served: bool) -> None:
    world: Any = Observed(make_context(), is_seldon_served=is_served)
    assert SeldonBackend().is_present(world) is is_served
    assert DeploymentBackend().is_present(world)
