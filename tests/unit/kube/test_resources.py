import pytest

from modelyard.kube.resources import ALL, JOBS, PODS, TRAINING_JOBS, Resource, find_resource, resource_of


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PODS.path(), "/api/v1/pods"),
        (PODS.path("team"), "/api/v1/namespaces/team/pods"),
        (JOBS.path("team", "digits-1"), "/apis/batch/v1/namespaces/team/jobs/digits-1"),
        (
            TRAINING_JOBS.path("team", "digits", "status"),
            "/apis/modelyard.io/v1alpha1/namespaces/team/trainingjobs/digits/status",
        ),
    ],
)
def test_paths_are_those_of_the_api_server(path: str, expected: str) -> None:
    assert path == expected


def test_a_name_cannot_lead_to_another_path() -> None:
    assert JOBS.path("team", "../secrets/x?y") == "/apis/batch/v1/namespaces/team/jobs/..%2Fsecrets%2Fx%3Fy"


@pytest.mark.parametrize("resource", ALL, ids=str)
def test_a_manifest_leads_to_its_resource(resource: Resource) -> None:
    assert resource_of({"apiVersion": resource.api_version, "kind": resource.kind}) is resource


def test_a_kind_that_is_not_dealt_with_is_named() -> None:
    with pytest.raises(LookupError, match="Secret of v1"):
        find_resource("v1", "Secret")
