"""Asks model servers whether they answer for a version, by the Open Inference Protocol."""

from urllib.parse import quote

import aiohttp

from modelyard.core.plan import Failure
from modelyard.core.serving import AskServer, Ready

_TIMEOUT = aiohttp.ClientTimeout(total=3)
_MODEL = "model"
"""The model's name in URLs, the same on every server that we start."""


class HttpModelServers:
    """Model servers behind their Services; answers the questions of `core.serving.ModelServers`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, question: AskServer) -> Ready | Failure:
        """Whether the server says that this very version is ready."""
        url = f"{question.url}/v2/models/{_MODEL}/versions/{quote(question.version, safe='')}/ready"
        try:
            async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
                if response.status == 200:
                    return Ready()
                return Failure("NotServing", f"GET {url} answered {response.status}")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            said = str(error) or type(error).__name__
            return Failure("ServerUnreachable", f"the operator cannot reach {url}: {said}; check network policies")
