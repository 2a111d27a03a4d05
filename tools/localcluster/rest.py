"""A client for an apiserver's JSON, just enough to wait for it and to ask it for tokens."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from tools.localcluster.certificates import KeyPair
from tools.localcluster.errors import ClusterError
from tools.localcluster.kubeconfig import Endpoint

UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, OSError)


def answers(url: str) -> bool:
    """Whether a plain GET is answered with 200; proxies of the environment are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except UNREACHABLE:
        return False


class Rest:
    """Requests to one endpoint with one client certificate; proxies of the environment are not asked."""

    def __init__(self, endpoint: Endpoint, pair: KeyPair) -> None:
        context = ssl.create_default_context(cafile=str(endpoint.ca_file))
        context.load_cert_chain(pair.certificate, pair.key)
        self._url = endpoint.url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def is_ok(self, path: str) -> bool:
        """Whether a GET is answered with 200."""
        try:
            with self._opener.open(self._url + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except UNREACHABLE:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """The object at a path."""
        return self._send(urllib.request.Request(self._url + path))  # noqa: S310 - always the apiserver's https

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the apiserver made of a posted object."""
        request = urllib.request.Request(  # noqa: S310 - always the apiserver's https
            self._url + path, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                content: dict[str, Any] = json.load(answer)
                return content
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise ClusterError(f"{request.get_method()} {request.full_url} was refused: {said}") from error
        except UNREACHABLE as error:
            raise ClusterError(f"{request.get_method()} {request.full_url} was not answered: {error}") from error
