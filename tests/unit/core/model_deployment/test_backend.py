"""A version serves once every wanted pod is of it; the backend's own word is no proof."""

from typing import Any

import pytest

from builders import (
    make_context,
    make_deployment,
    make_model_deployment,
    make_seldon_child,
    make_seldon_deployment,
    make_serving_pod,
)
from modelyard.core.model_deployment.backend import Backend, PredictorState, Servers
from modelyard.core.model_deployment.deployment import DeploymentBackend
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


@pytest.mark.parametrize("is_served", [True, False])
def test_seldon_is_there_when_its_kind_is_served(is_served: bool) -> None:
    world: Any = Observed(make_context(), is_seldon_served=is_served)
    assert SeldonBackend().is_present(world) is is_served
    assert DeploymentBackend().is_present(world)
