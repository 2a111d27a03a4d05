"""MLflow's tracking server over HTTP: who asks, what is asked again, and what a refusal means."""

import base64
import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from modelyard_report import say

from modelyard_fetch.errors import BusyError, FetchError

SOCKET_TIMEOUT_SECONDS = 30.0
RETRY_DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0)
RETRIED_CODES = (408, 429, 500, 502, 503, 504)
# What a connection can do at any moment; errors of the disk are OSErrors too, and are not these.
CONNECTION_ERRORS = (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)

T = TypeVar("T")
Response = http.client.HTTPResponse


@dataclass(frozen=True)
class Answer:
    """A server's refusal: status code and the text that came with it."""

    code: int
    text: str


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirects: urllib would send the credentials along, whatever the host."""

    def redirect_request(self, *_: object) -> None:
        """Leaves the redirect to be raised as an HTTPError."""


@dataclass(frozen=True)
class Server:
    """A tracking server, with what it wants to see in each request."""

    base: str
    headers: Mapping[str, str]
    opener: urllib.request.OpenerDirector
    deadline: float
    """A reading of the monotonic clock."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], deadline: float) -> "Server":
        """Reads the variables that MLflow's own client reads."""
        base, headers = parse_tracking_uri(environment)
        if workspace := environment.get("MLFLOW_WORKSPACE"):
            headers["X-MLFLOW-WORKSPACE"] = header_value("MLFLOW_WORKSPACE", workspace)
        https = urllib.request.HTTPSHandler(context=tls_context(environment))
        return cls(base, headers, urllib.request.build_opener(NoRedirect(), https), deadline)

    def get(self, path: str, query: Mapping[str, str], read: Callable[[Response], T]) -> T | Answer:
        """What `read` makes of a good answer, or the server's refusal. Repeats what may have been bad luck."""
        url = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        delays = iter(RETRY_DELAYS_SECONDS)
        while True:
            try:
                return self._get_once(url, read)
            except BusyError as busy:
                delay = next(delays, None)
                if delay is None or time.monotonic() + delay > self.deadline:
                    raise FetchError("RegistryUnavailable", f"{self.base} does not answer: {busy}") from busy
                say(f"{busy}; again in {delay} s")
                time.sleep(delay)

    def _get_once(self, url: str, read: Callable[[Response], T]) -> T | Answer:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise FetchError("RegistryUnavailable", f"{self.base} is too slow: the time for the download is over")
        request = urllib.request.Request(url, headers=dict(self.headers))  # noqa: S310 - http(s) only, see parse_tracking_uri
        try:
            with self.opener.open(request, timeout=min(left, SOCKET_TIMEOUT_SECONDS)) as response:
                return read(response)
        except urllib.error.HTTPError as error:
            return refusal(error)
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from error
        except CONNECTION_ERRORS as error:
            raise self._unreachable(error) from error

    def _unreachable(self, cause: object) -> Exception:
        if isinstance(cause, ssl.SSLCertVerificationError):
            cure = "name its authority in MLFLOW_TRACKING_SERVER_CERT_PATH"
            return FetchError("RegistryUnavailable", f"{self.base}: {cause.verify_message}: {cure}")
        return BusyError(f"{type(cause).__name__}: {cause}")


def refusal(error: urllib.error.HTTPError) -> Answer:
    """The error as a value; raises BusyError where asking again may help."""
    with error:
        answer = Answer(error.code, error.read(4096).decode("utf-8", "replace"))
    if error.code in RETRIED_CODES and "no-serve-artifacts" not in answer.text:
        raise BusyError(f"it answered {error.code}") from error
    return answer


def read_json(response: Response) -> Any:  # noqa: ANN401 - JSON is anything
    """The answer's JSON; BusyError where it is cut short or something else, as pages of proxies are."""
    try:
        return json.loads(response.read())
    except ValueError as error:
        raise BusyError("its answer is not JSON") from error


def parse_tracking_uri(environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The address without its user, and the headers that say who asks."""
    uri = environment.get("MLFLOW_TRACKING_URI", "")
    try:
        parts = urllib.parse.urlsplit(uri)
    except ValueError as error:
        raise FetchError("RegistryUnavailable", f"MLFLOW_TRACKING_URI is {uri!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError(
            "RegistryUnavailable", f"MLFLOW_TRACKING_URI is {uri!r}: it must start with http:// or https://"
        )
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    user, password, token = (environment.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN"))
    if parts.username and not user:
        user, password = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
    if user:
        pair = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
        return base, {"Authorization": f"Basic {pair}"}
    if token:
        return base, {"Authorization": f"Bearer {header_value('MLFLOW_TRACKING_TOKEN', token)}"}
    return base, {}


def header_value(name: str, value: str) -> str:
    """The value, where it fits on one line of a request; the error does not repeat it, it may be a secret."""
    if not value.isascii() or not value.isprintable():
        raise FetchError("AccessDenied", f"{name} has a line end or another character that no request can carry")
    return value


def tls_context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Trusts what MLflow's own client would trust."""
    authority = environment.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None
    client = environment.get("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    try:
        context = ssl.create_default_context(cafile=authority)
        if client:
            context.load_cert_chain(client)
    except OSError as error:
        raise FetchError("AccessDenied", f"a certificate ({authority or client}) cannot be used: {error}") from error
    if environment.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def lacks_workspace(answer: Answer) -> bool:
    """Whether the answer is about the workspace: MLflow says 404 of that as of everything else."""
    return answer.code == 404 and bool(re.search(r'"message"\s*:\s*"Workspace\b', answer.text))


def refused(base: str, answer: Answer) -> FetchError:
    """The error for a refusal that asking again will not change."""
    text = answer.text.strip()
    if "Invalid Host header" in text:
        name = urllib.parse.urlsplit(base).netloc
        cure = f"add {name} to MLFLOW_SERVER_ALLOWED_HOSTS of the server"
        return FetchError("AccessDenied", f"MLflow does not take requests for {name}: {cure}")
    if "no-serve-artifacts" in text:
        cure = "start it with --serve-artifacts and --artifacts-destination"
        return FetchError("UnsupportedArtifactStore", f"MLflow at {base} serves no artifacts: {cure}")
    if answer.code in (401, 403):
        return FetchError("AccessDenied", f"{base} answered {answer.code}; check this pod's credentials: {text}")
    if 300 <= answer.code < 400:
        return FetchError(
            "RegistryUnavailable", f"{base} redirects elsewhere: put that address into MLFLOW_TRACKING_URI"
        )
    return FetchError("RegistryUnavailable", f"{base} answered {answer.code}: {text}")
