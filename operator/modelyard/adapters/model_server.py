"""Asks model servers whether they answer for a version, and sends them one request: by their protocols over HTTP."""

import json
from urllib.parse import quote

import aiohttp

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
        url = f"{question.url}/v2/models/{_MODEL}/versions/{quote(question.version, safe='')}/ready"
        async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
            if response.status == 200:
                return Ready()
            return Failure("NotServing", f"GET {url} answered {response.status}")

    async def _try(self, question: TryServer) -> Predicted | NoSuchRequest | Failure:
        """What the server answers to a request in MLflow's own form, which MLServer's runtime for MLflow takes too."""
        url, headers = f"{question.url}/invocations", {"Content-Type": "application/json"}
        async with self._session.post(
            url, data=question.body.encode(), headers=headers, timeout=_PREDICTION_TIMEOUT, allow_redirects=False
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
            return Predicted() if is_cut or _holds_predictions(content) else _refused(f"no predictions came: {said}")


def _holds_predictions(content: bytes) -> bool:
    """Whether an answer is of the form that MLflow's is."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "predictions" in found


def _refused(said: str) -> Failure:
    return Failure("SmokeTestFailed", f"asked with its own example, {said}", is_transient=False)
