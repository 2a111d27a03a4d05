"""Asks model servers whether they answer for a version, and sends them one request: by their protocols over HTTP."""

import json
from collections.abc import Callable
from urllib.parse import quote

import aiohttp

from modelyard.adapters import seldon_messages
from modelyard.adapters.mlflow.text import one_line
from modelyard.core.plan import Failure
from modelyard.core.serving import AskServer, NoSuchRequest, Predicted, Ready, TryServer

_TIMEOUT = aiohttp.ClientTimeout(total=3)
_PREDICTION_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MODEL = "model"
"""The model's name in URLs, the same on every server that we start."""
_MOST_BYTES = 1 << 20
_FIRST_WORDS = 300
_NO_SUCH = frozenset({404, 405, 501})
_BUSY = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of a server, or of what stands before it, that is not there yet."""


class HttpModelServers:
    """Model servers behind their Services; answers the questions of `core.serving.ModelServers`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, question: AskServer | TryServer) -> Ready | Predicted | NoSuchRequest | Failure:
        """The server's answer."""
        try:
            if isinstance(question, TryServer):
                return await self._try(question)
            return await self._ready(question)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            said = one_line(str(error) or type(error).__name__, _FIRST_WORDS)
            where = f"the operator cannot reach {question.url}: {said}; check network policies"
            return Failure("ServerUnreachable", where)

    async def _ready(self, question: AskServer) -> Ready | Failure:
        """Whether the server says that this very version is ready."""
        if question.protocol == "seldon":
            return await self._ready_by_its_metadata(question)
        url = f"{question.url}/v2/models/{_MODEL}/versions/{quote(question.version, safe='')}/ready"
        status, _ = await self._get(url)
        return Ready() if status == 200 else Failure("NotServing", f"GET {url} answered {status}")

    async def _ready_by_its_metadata(self, question: AskServer) -> Ready | Failure:
        """Whether it is healthy, and names this version among what it tells of itself."""
        for path in ("/health/status", "/metadata"):
            url = question.url + path
            status, content = await self._get(url)
            if status != 200:
                return Failure("NotServing", f"GET {url} answered {status}")
        if seldon_messages.names_version(_json(content), question.version):
            return Ready()
        said = one_line(content.decode(errors="replace"), _FIRST_WORDS)
        return Failure("NotServing", f"GET {url} names no version {question.version}: {said}")

    async def _get(self, url: str) -> tuple[int, bytes]:
        """Status and the beginning of an answer."""
        async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
            return response.status, await response.content.read(_MOST_BYTES)

    async def _try(self, question: TryServer) -> Predicted | NoSuchRequest | Failure:
        """What the server answers to the example, in a form that it takes."""
        if question.protocol == "seldon":
            body = seldon_messages.request_of(question.body)
            if body is None:
                return NoSuchRequest()
            return await self._predict(f"{question.url}/api/v1.0/predictions", body, seldon_messages.holds_predictions)
        # MLflow's own form, which MLServer's runtime for MLflow takes too.
        return await self._predict(f"{question.url}/invocations", question.body, _holds_predictions)

    async def _predict(
        self, url: str, body: str, is_answer: Callable[[object], bool]
    ) -> Predicted | NoSuchRequest | Failure:
        """What is answered to one request for predictions."""
        headers = {"Content-Type": "application/json"}
        async with self._session.post(
            url, data=body.encode(), headers=headers, timeout=_PREDICTION_TIMEOUT, allow_redirects=False
        ) as response:
            if response.status in _NO_SUCH:
                return NoSuchRequest()
            content = await response.content.read(_MOST_BYTES)
            said = one_line(content.decode(errors="replace"), _FIRST_WORDS)
            if response.status in _BUSY:
                return Failure("NotServing", f"POST {url} answered {response.status}: {said}")
            if not 200 <= response.status < 300:
                return _refused(f"the server answered {response.status}: {said}")
            is_cut = not response.content.at_eof()
            return Predicted() if is_cut or is_answer(_json(content)) else _refused(f"no predictions came: {said}")


def _json(content: bytes) -> object:
    """What an answer says; None of what is no JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _holds_predictions(answer: object) -> bool:
    """Whether an answer is of the form that MLflow's is."""
    return isinstance(answer, dict) and "predictions" in answer


def _refused(said: str) -> Failure:
    return Failure("SmokeTestFailed", f"asked with its own example, {said}", is_transient=False)
