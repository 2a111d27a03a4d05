"""What model servers say to the one request that is sent to them, taken with care."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from modelyard.adapters.model_server import HttpModelServers
from modelyard.core.plan import Failure
from modelyard.core.serving import NoSuchRequest, Predicted, TryServer
from tools.localcluster.ports import free_ports

BODY = '{"inputs": [[1.5]]}'


class Server:
    """Answers every request for predictions with the same."""

    def __init__(self) -> None:
        self.reply = (200, b"{}")
        self.got: list[tuple[str, str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((request.path, request.content_type, await request.text()))
        return web.Response(status=self.reply[0], body=self.reply[1], headers={"Location": "/elsewhere"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server, app, (port,) = Server(), web.Application(), free_ports(1)
    app.router.add_post("/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{port}"
    yield server
    await runner.cleanup()


async def ask(url: str) -> object:
    async with aiohttp.ClientSession() as session:
        return await HttpModelServers(session).ask(TryServer(url, BODY))


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
