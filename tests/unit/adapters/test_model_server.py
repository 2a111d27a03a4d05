"""What model servers say to the one request that is sent to them, taken with care."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from modelyard.adapters.model_server import HttpModelServers
from modelyard.core.plan import Failure
from modelyard.core.serving import AskServer, NoSuchRequest, Predicted, Ready, TryServer
from tools.localcluster.ports import free_ports

BODY = '{"inputs": [[1.5]]}'


class Server:
    """Answers every request for predictions with the same."""

    def __init__(self) -> None:
        self.reply = (200, b"{}")
        self.got: list[tuple[str, str, str]] = []
        self.told: dict[str, bytes] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((request.path, request.content_type, await request.text()))
        return web.Response(status=self.reply[0], body=self.reply[1], headers={"Location": "/elsewhere"})

    async def tell(self, request: web.Request) -> web.Response:
        body = self.told.get(request.path)
        return web.Response(status=404) if body is None else web.Response(body=body)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, app, (port,) = Server(), web.Application(), free_ports(1)
    app.router.add_post("/{path:.*}", server.handle)
    app.router.add_get("/{path:.*}", server.tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{port}"
    yield server
    await runner.cleanup()


async def ask(url: str) -> object:
    return await answer_to(TryServer(url, BODY))


async def answer_to(question: TryServer | AskServer) -> object:
    async with aiohttp.ClientSession() as session:
        return await HttpModelServers(session).ask(question)


async def test_the_example_is_sent_as_it_was_logged(server: Server) -> None:
    server.reply = (200, b'{"predictions": [7]}')
    assert await ask(server.url) == Predicted()
    assert server.got == [("/invocations", "application/json", BODY)]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_that_has_no_such_request_is_no_failure(server: Server, status: int) -> None:
    server.reply = (status, b"")
    assert await ask(server.url) == NoSuchRequest()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"Traceback:\n boom\x1b[31m\xe2\x80\xae", "the server answered 500: Traceback: boom [31m"),
        (400, b"x" * 9_000, "the server answered 400: xxx"),
        (302, b"", "the server answered 302"),
        (200, b"<html>", "no predictions came: <html>"),
        (200, b"[" * 100_000, "no predictions came: [[["),
        (200, b'{"error": 1}', 'no predictions came: {"error": 1}'),
    ],
)
async def test_anything_else_is_refused_with_the_first_words(
    server: Server, status: int, body: bytes, told: str
) -> None:
    server.reply = (status, body)
    answer = await ask(server.url)
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.is_transient) == ("SmokeTestFailed", False)
    assert told in answer.message
    assert answer.message.isprintable()
    assert len(answer.message) < 500


async def test_more_than_is_read_is_an_answer(server: Server) -> None:
    server.reply = (200, b'{"predictions": [' + b"1," * 2_000_000 + b"1]}")
    assert await ask(server.url) == Predicted()


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_server_that_is_not_there_yet_is_asked_again(server: Server, status: int) -> None:
    server.reply = (status, b"busy")
    answer = await ask(server.url)
    assert isinstance(answer, Failure)
    assert answer.is_transient


async def test_a_server_that_cannot_be_reached_is_asked_again() -> None:
    answer = await ask(f"http://127.0.0.1:{free_ports(1)[0]}")
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.is_transient) == ("ServerUnreachable", True)


async def test_a_server_of_the_usual_protocol_is_asked_for_the_version_by_its_path(server: Server) -> None:
    server.told["/v2/models/model/versions/7/ready"] = b""
    assert await answer_to(AskServer(server.url, "7")) == Ready()
    assert isinstance(await answer_to(AskServer(server.url, "8")), Failure)


HEALTHY = {"/health/status": b"{}", "/metadata": b'{"name": "model", "versions": ["7"]}'}


async def test_a_server_of_seldons_protocol_has_to_be_healthy_and_to_name_the_version(server: Server) -> None:
    server.told |= HEALTHY
    assert await answer_to(AskServer(server.url, "7", "seldon")) == Ready()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"/health/status": None}, "/health/status answered 404"),
        ({"/metadata": None}, "/metadata answered 404"),
        ({"/metadata": b'{"versions": ["6"]}'}, 'names no version 7: {"versions": ["6"]}'),
        ({"/metadata": b'{"versions": "7"}'}, "names no version 7"),
        ({"/metadata": b"[]"}, "names no version 7"),
        ({"/metadata": b"<html>"}, "names no version 7: <html>"),
    ],
)
async def test_a_server_of_seldons_protocol_that_says_anything_else_does_not_serve_it(
    server: Server, changes: dict[str, bytes | None], told: str
) -> None:
    server.told |= {path: body for path, body in (HEALTHY | changes).items() if body is not None}
    answer = await answer_to(AskServer(server.url, "7", "seldon"))
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.is_transient) == ("NotServing", True)
    assert told in answer.message


async def test_the_example_is_sent_in_seldons_form(server: Server) -> None:
    server.reply = (200, b'{"data": {"names": [], "ndarray": [7]}, "meta": {}}')
    assert await answer_to(TryServer(server.url, BODY, "seldon")) == Predicted()
    assert server.got == [("/api/v1.0/predictions", "application/json", '{"data": {"ndarray": [[1.5]]}}')]


@pytest.mark.parametrize("body", [b'{"status": {"status": 1}}', b'{"predictions": [1]}', b"[1]"])
async def test_an_answer_without_data_is_no_prediction_of_seldons_protocol(server: Server, body: bytes) -> None:
    server.reply = (200, body)
    answer = await answer_to(TryServer(server.url, BODY, "seldon"))
    assert isinstance(answer, Failure)
    assert answer.reason == "SmokeTestFailed"


async def test_an_example_that_is_no_json_is_not_sent_in_seldons_form(server: Server) -> None:
    assert await answer_to(TryServer(server.url, "1,2\n", "seldon")) == NoSuchRequest()
    assert server.got == []
