"""The client against an HTTP server that answers as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from modelyard.core.plan import ObjectRef
from modelyard.core.serving import Warned
from modelyard.kube import connection as module
from modelyard.kube.client import KubeClient
from modelyard.kube.connection import Connection
from modelyard.kube.errors import Conflict, Invalid, NotFound, TooManyRequests, Unreachable
from modelyard.kube.resources import JOBS, Resource

JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "digits", "namespace": "team", "uid": "u"}}
REF = ObjectRef("batch/v1", "Job", "team", "digits")
UID_REF = ObjectRef("batch/v1", "Job", "team", "digits", "u-7")
PATH = "/apis/batch/v1/namespaces/team/jobs/digits"


class FakeServer:
    """Gives the answers it was given, in their order, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[web.StreamResponse | str] = []
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.headers: list[dict[str, str]] = []
        self.seen: list[tuple[str, Resource, str, float]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.asked.append((request.method, request.path, dict(request.query), json.loads(text) if text else None))
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0)
        if answer == "hang":
            await asyncio.sleep(60)
        if answer == "cut":
            assert request.transport is not None
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"half":')
            request.transport.abort()
            return response
        assert isinstance(answer, web.StreamResponse)
        return answer

    def will_answer(self, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.answers.append(web.json_response(body, status=status, headers=headers))

    def will_refuse(self, status: int, reason: str = "Why") -> None:
        self.will_answer({"kind": "Status", "reason": reason, "message": "what"}, status)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def client(server: FakeServer) -> AsyncIterator[KubeClient]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    configuration.api_key["BearerToken"] = "bearer secret"
    client = KubeClient(Connection(configuration, lambda *seen: server.seen.append(seen)))
    yield client
    await client.close()
    await runner.cleanup()


async def test_an_object_is_read_with_our_credentials(client: KubeClient, server: FakeServer) -> None:
    server.will_answer(JOB)
    assert await client.get(REF) == JOB
    assert server.asked == [("GET", PATH, {}, None)]
    assert server.headers[0]["Authorization"] == "bearer secret"


async def test_an_object_that_is_not_there_is_none(client: KubeClient, server: FakeServer) -> None:
    server.will_refuse(404)
    assert await client.get(REF) is None


async def test_another_incarnation_is_not_the_one_that_was_meant(client: KubeClient, server: FakeServer) -> None:
    server.will_answer(JOB)
    assert await client.get(ObjectRef("batch/v1", "Job", "team", "digits", uid="another")) is None


async def test_apply_takes_the_fields_over_and_answers_with_the_object_also_when_it_is_new(
    client: KubeClient, server: FakeServer
) -> None:
    server.will_answer(JOB, 201)
    assert await client.apply(JOB) == JOB
    assert server.asked == [("PATCH", PATH, {"fieldManager": "modelyard", "force": "true"}, JOB)]
    assert server.headers[0]["Content-Type"] == "application/apply-patch+yaml; charset=utf-8"


async def test_status_is_applied_to_the_subresource(client: KubeClient, server: FakeServer) -> None:
    server.will_answer(JOB)
    await client.apply_status(JOB)
    assert server.asked[0][1] == f"{PATH}/status"


async def test_create_and_replace_go_where_they_have_to(client: KubeClient, server: FakeServer) -> None:
    server.will_answer(JOB, 201)
    server.will_answer(JOB)
    await client.create(JOB)
    await client.replace(JOB)
    assert [asked[:2] for asked in server.asked] == [("POST", PATH.removesuffix("/digits")), ("PUT", PATH)]


async def test_delete_means_one_incarnation_and_what_it_owns(client: KubeClient, server: FakeServer) -> None:
    server.will_answer({"kind": "Status"})
    await client.delete(ObjectRef("batch/v1", "Job", "team", "digits", uid="u"))
    method, path, _, options = server.asked[0]
    assert (method, path) == ("DELETE", PATH)
    assert (options["preconditions"], options["propagationPolicy"]) == ({"uid": "u"}, "Foreground")


async def test_deleting_what_is_gone_or_was_made_anew_is_done_already(client: KubeClient, server: FakeServer) -> None:
    server.will_refuse(404)
    server.will_refuse(409)
    await client.delete(REF)
    await client.delete(ObjectRef("batch/v1", "Job", "team", "digits", uid="u"))


async def test_a_conflict_of_a_delete_without_precondition_is_an_error(client: KubeClient, server: FakeServer) -> None:
    server.will_refuse(409)
    with pytest.raises(Conflict):
        await client.delete(REF)


async def test_pages_are_read_to_the_end_and_say_what_the_items_are(client: KubeClient, server: FakeServer) -> None:
    item = {"metadata": {"name": "a"}}
    server.will_answer({"metadata": {"resourceVersion": "7", "continue": "token"}, "items": [item]})
    server.will_answer({"metadata": {"resourceVersion": "7"}, "items": []})
    pages = [page async for page in client.list_pages(JOBS, "team", "owner", limit=1)]
    assert pages == [([{"apiVersion": "batch/v1", "kind": "Job", **item}], "7"), ([], "7")]
    assert [asked[2] for asked in server.asked] == [
        {"limit": "1", "labelSelector": "owner"},
        {"limit": "1", "labelSelector": "owner", "continue": "token"},
    ]


async def test_a_refusal_says_what_the_api_server_says(client: KubeClient, server: FakeServer) -> None:
    server.will_refuse(422, "Invalid")
    with pytest.raises(Invalid, match="422 Invalid: what"):
        await client.create(JOB)


async def test_the_time_the_server_wants_is_part_of_the_error_and_nothing_is_retried(
    client: KubeClient, server: FakeServer
) -> None:
    server.will_answer({"reason": "TooManyRequests"}, 429, {"Retry-After": "12"})
    with pytest.raises(TooManyRequests) as caught:
        await client.apply(JOB)
    assert caught.value.retry_after == 12
    assert len(server.asked) == 1


async def test_half_an_answer_is_no_answer(client: KubeClient, server: FakeServer) -> None:
    server.answers.append("cut")
    with pytest.raises(Unreachable):
        await client.get(REF)


async def test_an_answer_that_is_not_json_is_no_answer(client: KubeClient, server: FakeServer) -> None:
    server.answers.append(web.Response(text="<html>a proxy's page</html>"))
    with pytest.raises(Unreachable, match="not JSON"):
        await client.get(REF)


async def test_a_request_that_hangs_ends(
    client: KubeClient, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.1)
    server.answers.append("hang")
    with pytest.raises(Unreachable, match="TimeoutError"):
        await client.get(REF)


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    client = KubeClient(Connection(Configuration(host="http://127.0.0.1:1")))
    with pytest.raises(Unreachable):
        await client.get(REF)
    await client.close()


async def test_every_request_is_counted_with_its_outcome(
    client: KubeClient, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.1)
    server.will_answer(JOB, 201)
    server.will_refuse(404)
    server.answers.append("hang")
    await client.apply(JOB)
    with pytest.raises(NotFound):
        await client.apply_status(JOB)
    with pytest.raises(Unreachable):
        await client.create(JOB)
    assert [seen[:3] for seen in server.seen] == [
        ("PATCH", JOBS, "201"),
        ("PATCH", JOBS, "404"),
        ("POST", JOBS, "error"),
    ]


def an_event(reason: str, **times: object) -> dict[str, Any]:
    return {"metadata": {"creationTimestamp": "2026-01-05T12:00:00Z"}, "reason": reason, "note": f"{reason}!", **times}


async def test_the_newest_warning_about_an_object_is_found(client: KubeClient, server: FakeServer) -> None:
    items = [
        an_event("Old", eventTime=None, deprecatedLastTimestamp="2026-01-05T12:01:00Z"),
        an_event("Newest", eventTime=None, deprecatedLastTimestamp="2026-01-05T12:09:00Z"),
        an_event(
            "Middle", eventTime="2026-01-05T12:03:00.000000Z", series={"lastObservedTime": "2026-01-05T12:04:00Z"}
        ),
    ]
    server.will_answer({"items": items})
    assert await client.newest_warning(UID_REF) == Warned("Newest", "Newest!")
    [(method, path, query, _)] = server.asked
    assert (method, path) == ("GET", "/apis/events.k8s.io/v1/namespaces/team/events")
    assert query["fieldSelector"] == "regarding.uid=u-7,type=Warning"


async def test_warnings_about_an_object_whose_uid_is_not_known_are_found_by_its_name(
    client: KubeClient, server: FakeServer
) -> None:
    server.will_answer({"items": [an_event("ProvisioningFailed")]})
    claim = ObjectRef("v1", "PersistentVolumeClaim", "team", "kept")
    assert await client.newest_warning(claim) == Warned("ProvisioningFailed", "ProvisioningFailed!")
    [(_, _, query, _)] = server.asked
    assert query["fieldSelector"] == "regarding.kind=PersistentVolumeClaim,regarding.name=kept,type=Warning"


async def test_without_events_or_without_the_right_to_read_them_there_is_no_warning(
    client: KubeClient, server: FakeServer
) -> None:
    server.will_answer({"items": None})
    server.will_refuse(403, "Forbidden")
    assert await client.newest_warning(UID_REF) is None
    assert await client.newest_warning(UID_REF) is None
