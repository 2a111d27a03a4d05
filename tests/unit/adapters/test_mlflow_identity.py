"""The tags that name an attempt."""

import pytest

from modelyard.adapters.mlflow.identity import carries, identity_filter, identity_of, identity_tags
from modelyard.core.tracking import AttemptIdentity

IDENTITY = AttemptIdentity(cluster="cluster-uid", owner_uid="owner-uid", attempt=2)


def test_what_is_written_is_found_again() -> None:
    tags = identity_tags(IDENTITY)
    assert identity_of(tags) == IDENTITY
    assert carries(tags, IDENTITY)


@pytest.mark.parametrize("name", ["modelyard.io/cluster", "modelyard.io/trainingjob-uid", "modelyard.io/attempt"])
def test_another_cluster_owner_or_attempt_is_another_identity(name: str) -> None:
    assert not carries(identity_tags(IDENTITY) | {name: "3"}, IDENTITY)


def test_a_run_that_the_code_started_beside_belongs_to_the_attempt() -> None:
    tags = identity_tags(IDENTITY)
    tags["modelyard.io/parent-attempt"] = tags.pop("modelyard.io/attempt")
    assert identity_of(tags) == IDENTITY


@pytest.mark.parametrize("attempt", ["", "x", "-1", "1e3", "٣", "1" * 10])
def test_tampered_tags_name_nobody(attempt: str) -> None:
    assert identity_of(identity_tags(IDENTITY) | {"modelyard.io/attempt": attempt}) is None


def test_the_filter_names_all_three() -> None:
    assert identity_filter(IDENTITY) == (
        "tags.`modelyard.io/cluster` = 'cluster-uid' and tags.`modelyard.io/trainingjob-uid` = 'owner-uid'"
        " and tags.`modelyard.io/attempt` = '2'"
    )
