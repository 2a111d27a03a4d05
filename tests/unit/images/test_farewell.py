"""A model server that ends takes leave of kept connections: over the uvicorn that it answers with."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import pytest
import uvicorn
from modelyard_farewell import Closing, Farewell


async def answer(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def farewell() -> Farewell:
    return Farewell()


@pytest.fixture
def kept(farewell: Farewell) -> Iterator[http.client.HTTPConnection]:
    """A kept connection to a server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Closing(answer, farewell), lifespan="off", log_level="warning"))
    thread = Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    with closing(http.client.HTTPConnection(*listener.getsockname(), timeout=5)) as connection:
        yield connection
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def ask(connection: http.client.HTTPConnection) -> str | None:
    """The header Connection of an answer."""
    connection.request("POST", "/v2/models/model/infer", b"{}")
    response = connection.getresponse()
    assert response.read() == b"ok"
    return response.getheader("connection")


def test_a_connection_is_kept_until_the_server_takes_leave(
    kept: http.client.HTTPConnection, farewell: Farewell
) -> None:
    assert [ask(kept), ask(kept)] == [None, None]
    assert kept.sock is not None
    asyncio.run(farewell.take(0))
    assert ask(kept) == "close"
    assert kept.sock is None


def test_meanwhile_new_connections_are_answered_too(kept: http.client.HTTPConnection, farewell: Farewell) -> None:
    asyncio.run(farewell.take(0))
    assert [ask(kept), ask(kept)] == ["close", "close"]
