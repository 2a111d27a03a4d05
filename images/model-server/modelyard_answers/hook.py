"""Listens to a server's predictions, and answers who asks for their fingerprints."""

import json
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelyard_answers.recorder import Ask, Recorder

PATH = "/modelyard/answers"
"""On the port of metrics, which no client's traffic reaches."""
PREDICTIONS = ("/infer", "/invocations")
_MOST_ASKED = 4096


class Listener:
    """An ASGI middleware that has answers kept after they were sent: no client waits for it."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on as it is."""
        if scope["type"] != "http" or not scope["path"].endswith(PREDICTIONS) or not self._recorder.is_on():
            await self._app(scope, receive, send)
            return
        heard = _Heard(self._recorder, scope["path"])
        try:
            await self._app(scope, heard.receiving(receive), heard.sending(send))
        except Exception:
            heard.fail()
            raise
        finally:
            heard.keep()


class _Heard:
    """One request and its answer."""

    def __init__(self, recorder: Recorder, path: str) -> None:
        self._recorder = recorder
        self._request = recorder.begin_request(path)
        self._status: int | None = None
        self._body: list[bytes] = []
        self._is_whole = False

    def receiving(self, receive: Receive) -> Receive:
        """The request, as it comes."""

        async def heard() -> Message:
            message = await receive()
            self._request.update(message.get("body", b""))
            return message

        return heard

    def sending(self, send: Send) -> Send:
        """The answer, as it goes."""

        async def heard(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self._status = message["status"]
            elif message["type"] == "http.response.body":
                self._body.append(message.get("body", b""))
                self._is_whole = not message.get("more_body", False)

        return heard

    def fail(self) -> None:
        """The server will answer with an error."""
        self._status, self._is_whole = 500, True

    def keep(self) -> None:
        """Have it kept, if there was an answer: a client that went away has none."""
        if self._status is not None and self._is_whole:
            body = b"".join(self._body)
            self._recorder.keep(self._request.digest(), body if 200 <= self._status < 300 else None)


class Teller:
    """An ASGI application that tells what was kept to who holds the key."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, told = await self._answer(scope, receive)
        body = json.dumps(told, separators=(",", ":")).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        if scope["method"] != "POST":
            return 405, {"error": "POST is expected"}
        if not self._recorder.admits(_bearer(scope["headers"])):
            return 401, {"error": "this is for the operator, which holds the key"}
        try:
            return 200, self._recorder.tell(Ask.of(json.loads(await _small(receive))))
        except (ValueError, RecursionError) as error:
            return 400, {"error": str(error)}


def _bearer(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """What is offered as the key."""
    offered = next((value for name, value in headers if name.lower() == b"authorization"), b"")
    scheme, _, key = offered.decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def _small(receive: Receive) -> bytes:
    """The body of a request that has little to say.

    Raises:
        ValueError: it says more.
    """
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST_ASKED:
            raise ValueError("the request is too large")
        if not message.get("more_body", False):
            return bytes(body)
