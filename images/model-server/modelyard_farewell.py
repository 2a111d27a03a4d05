"""Takes leave of kept connections: one that is closed without a word fails the request that is on its way."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 2.0
"""How long clients that keep a connection are still answered, and told to open no more requests on it."""


class Farewell:
    """Whether the server is about to end."""

    is_leaving = False

    async def take(self, seconds: float = SECONDS) -> None:
        """From now on each answer is the last one of its connection; returns when it is time to close what is left."""
        self.is_leaving = True
        await asyncio.sleep(seconds)


class Closing:
    """An ASGI middleware that says so in each answer; the server closes the connection after it."""

    def __init__(self, app: ASGIApp, farewell: Farewell) -> None:
        self._app = app
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with one header more while the server takes leave."""

        async def sending(message: Message) -> None:
            if self._farewell.is_leaving and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, sending)
