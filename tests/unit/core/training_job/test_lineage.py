"""What runs and versions tell of where they came from."""

import json
from typing import Any

import pytest

from builders import NOW, make_context, make_pod, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import pod_state
from modelyard.core.training_job import lineage
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.observed import Observed

IMAGE_ID = f"docker.io/modelyard/trainer@sha256:{'0' * 64}"


def draft_of(**spec: Any) -> Draft:
    resource = make_training_job().with_spec(**spec).build()
    draft = Draft(resource, TrainingJobSpec.model_validate(resource["spec"]), Observed(make_context()), NOW)
    draft.status["parametersDigest"] = "d1"
    return draft


def test_an_attempt_leads_back_to_its_object_and_its_parameters() -> None:
    told = dict(lineage.origin(draft_of(), 2))
    assert told.pop("modelyard.io/job").endswith("-2")
    assert told == {
        "modelyard.io/namespace": "team-a",
        "modelyard.io/trainingjob": "digits",
        "modelyard.io/parameters-digest": "d1",
    }


@pytest.mark.parametrize(
    ("said", "is_recorded", "told"),
    [("alice", True, "alice"), ("alice", False, None), ("", True, None), (None, True, None)],
    ids=["recorded by the API server", "written by anybody", "older than the policy", "nothing said"],
)
def test_who_applied_it_is_told_where_the_api_server_recorded_it(
    said: str | None, is_recorded: bool, told: str | None
) -> None:
    annotations = {} if said is None else {"modelyard.io/applied-by": said}
    resource = make_training_job().changed("metadata", "annotations", to=annotations).build()
    observed = Observed(make_context(is_user_recorded=is_recorded))
    draft = Draft(resource, TrainingJobSpec.model_validate(resource["spec"]), observed, NOW)
    draft.status["parametersDigest"] = "d1"
    assert dict(lineage.origin(draft, 1)).get("modelyard.io/applied-by") == told


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        ({}, {"modelyard.io/image": "modelyard/trainer:test"}),
        ({"image": "example.com/mine:1"}, {"modelyard.io/image": "example.com/mine:1"}),
        (
            {"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": 2}}},
            {
                "modelyard.io/image": "modelyard/trainer:test",
                "modelyard.io/resources": '{"limits": {"memory": "1Gi"}, "requests": {"cpu": 2}}',
            },
        ),
    ],
    ids=["the release's image", "an image of the user's", "resources"],
)
def test_what_was_asked_of_the_cluster_is_told(trainer: dict[str, Any], expected: dict[str, str]) -> None:
    draft = draft_of(trainer=trainer)
    assert dict(lineage.request(draft, draft.spec)) == expected


def test_the_image_that_ran_is_told_once_the_node_told_it() -> None:
    assert lineage.image({"number": 1}) == ()
    assert lineage.image({"number": 1, "imageID": IMAGE_ID}) == (("modelyard.io/image-id", IMAGE_ID),)


@pytest.mark.parametrize(("said", "expected"), [(None, None), ("", None), (IMAGE_ID, IMAGE_ID)])
def test_of_a_container_that_is_not_there_yet_no_image_is_known(said: str | None, expected: str | None) -> None:
    item = {"name": "trainer"} | ({} if said is None else {"imageID": said})
    pod = make_pod(make_training_job().build()).changed("status", "containerStatuses", to=[item]).build()
    assert pod_state.image_id(pod, "trainer") == expected
    assert pod_state.image_id(pod, "another") is None


def test_datasets_are_told_by_name_with_their_digests() -> None:
    datasets = [{"name": "b", "uri": "s3://b", "digest": "sha256:1"}, {"name": "a", "uri": "s3://a"}]
    ((tag, text),) = lineage.data(draft_of(datasets=datasets).spec)
    assert tag == "modelyard.io/datasets"
    assert json.loads(text) == {"a": None, "b": "sha256:1"}
    assert lineage.data(draft_of().spec) == ()
