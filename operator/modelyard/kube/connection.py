"""One authenticated HTTP session to the API server, set up by the official client."""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from modelyard.__about__ import __version__
from modelyard.kube.clock import ServerClock
from modelyard.kube.errors import Unreachable, error_of
from modelyard.kube.resources import Resource

REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 10.0

Observe = Callable[[str, Resource, str, float], None]
"""Told of each request: method, resource, status (or "error"), seconds."""


def ignore_request(method: str, resource: Resource, code: str, seconds: float) -> None:
    """Counts nothing; for programs without metrics."""


@dataclass(frozen=True)
class Credentials:
    """What another HTTP client needs to reach the same API server as the same user."""

    server: str
    ca_file: str | None
    certificate_file: str | None
    key_file: str | None
    authorization: str | None
    """The whole header's value."""
    is_insecure: bool = False


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    resource: Resource
    path: str
    query: Mapping[str, str] | None = None
    body: Any = None
    content_type: str = "application/json"


class Connection:
    """Sends requests and parses answers; the typed client's models cost several times the CPU and add nothing here."""

    def __init__(self, configuration: Any, observe: Observe = ignore_request) -> None:  # noqa: ANN401 - untyped library
        self._configuration = configuration
        self._client = ApiClient(configuration)
        self._observe = observe
        self.clock = ServerClock()

    @classmethod
    async def open(cls, observe: Observe = ignore_request) -> Self:
        """Connect as KUBECONFIG says, else as the pod's service account, else as ~/.kube/config says.

        Raises:
            kubernetes.aio.config.ConfigException: none of them is there or makes sense.
        """
        configuration = Configuration(client_session_kwargs={"trust_env": False})
        # The library itself looks at the variable only once, when it is imported.
        kubeconfig = os.environ.get("KUBECONFIG")
        if not kubeconfig and os.environ.get("KUBERNETES_SERVICE_HOST"):
            # Reads the projected token anew every minute.
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                kubeconfig or "~/.kube/config", client_configuration=configuration, persist_config=False
            )
        return cls(configuration, observe)

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def credentials(self) -> Credentials:
        """As they are now: a token is replaced from time to time."""
        settings = self._configuration
        return Credentials(
            server=settings.host,
            ca_file=settings.ssl_ca_cert,
            certificate_file=settings.cert_file,
            key_file=settings.key_file,
            authorization=await self._authorization(),
            is_insecure=not settings.verify_ssl,
        )

    async def send(self, call: Call) -> Any:  # noqa: ANN401 - whatever JSON the server answers
        """The answer's JSON.

        Raises:
            ApiError: any answer other than 2xx, or none.
        """
        started, code = time.monotonic(), "error"
        try:
            status, text, retry_after = await self._exchange(call)
            code = str(status)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            said = str(error) or type(error).__name__
            raise Unreachable(f"{call.method} {call.path}: {said}") from error
        finally:
            self._observe(call.method, call.resource, code, time.monotonic() - started)
        return _parse(call, status, text, retry_after)

    async def _exchange(self, call: Call) -> tuple[int, bytes, str | None]:
        """Status, body and Retry-After of the answer."""
        url = self._configuration.host + call.path + (f"?{urlencode(call.query)}" if call.query else "")
        headers = {
            "Accept": "application/json",
            "Content-Type": call.content_type,
            "User-Agent": f"modelyard/{__version__}",
        }
        if authorization := await self._authorization():
            headers["Authorization"] = authorization
        response = await self._client.rest_client.request(  # type: ignore[no-untyped-call]
            call.method,
            url,
            headers=headers,
            body=as_yaml(call.body) if "yaml" in call.content_type else call.body,
            _request_timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=CONNECT_SECONDS),
        )
        self.clock.note(response.headers.get("Date"))
        return response.status, await response.read(), response.headers.get("Retry-After")

    async def _authorization(self) -> str | None:
        """The Authorization header: the bearer token, if there is one."""
        settings = await self._configuration.auth_settings()
        if found := settings.get("BearerToken"):
            return str(found["value"])
        return str(self._configuration.get_basic_auth_token()) if self._configuration.username else None


_NOT_IN_YAML = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def as_yaml(body: Any) -> bytes:  # noqa: ANN401 - any JSON
    """JSON that a YAML parser reads the same: server-side apply is parsed as YAML.

    YAML knows no surrogate pairs, as which JSON writes an emoji by default, and takes some characters only escaped.
    """
    text = json.dumps(body, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8", "replace")


def _parse(call: Call, status: int, text: bytes, retry_after: str | None) -> Any:  # noqa: ANN401 - as send
    """The JSON of a 2xx answer; raises what any other is."""
    try:
        answer = json.loads(text)
    except ValueError as error:
        answer = text.decode("utf-8", "replace")[:500]
        if status < 300:
            raise Unreachable(f"{call.method} {call.path}: the answer is not JSON: {answer[:100]!r}") from error
    if status >= 300:
        raise error_of(status, answer, retry_after)
    return answer
