import pytest

from modelyard.kube import errors


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Gone),
        (422, errors.Invalid),
        (429, errors.TooManyRequests),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (418, errors.ApiError),
    ],
)
def test_each_status_is_an_error_of_its_own(status: int, kind: type[errors.ApiError]) -> None:
    found = errors.error_of(status, {"reason": "Why", "message": "what"}, None)
    assert type(found) is kind
    assert (found.status, found.reason, found.message, found.retry_after) == (status, "Why", "what", None)


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", {}, 7.0),
        ("-1", {}, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, None),
        (None, {"details": {"retryAfterSeconds": 3}}, 3.0),
        (None, {"details": None}, None),
    ],
)
def test_the_time_to_wait_is_in_the_header_or_in_the_body(
    header: str | None, body: object, seconds: float | None
) -> None:
    assert errors.error_of(429, body, header).retry_after == seconds


def test_an_answer_that_is_no_status_object_is_the_message() -> None:
    assert errors.error_of(502, "bad gateway", None).message == "bad gateway"


@pytest.mark.parametrize(
    "said",
    [
        "failed to convert new object (ml/digits; apps/v1, Kind=Deployment) to proper version: quantities must match",
        "failed to create typed patch object (ml/digits; apps/v1, Kind=Deployment): .spec.replicas: expected numeric",
    ],
)
def test_a_field_of_another_type_is_the_objects_fault_and_not_the_servers(said: str) -> None:
    found = errors.error_of(500, {"message": said}, None)
    assert isinstance(found, errors.Invalid)
    assert found.reason == "Invalid"
