"""What MLflow's client raises, as reasons that a person can act on. The messages are stable: statuses hold them."""

import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from mlflow.exceptions import MlflowException, RestException
from urllib3.exceptions import ResponseError

from modelyard.adapters.mlflow import environment
from modelyard.adapters.mlflow.config import MlflowConfig
from modelyard.adapters.mlflow.failures import (
    ACCESS_DENIED,
    HOST_REJECTED,
    INVALID_REQUEST,
    INVALID_RESPONSE,
    NAME_INVALID,
    RUN_DELETED,
    RUN_NOT_FOUND,
    TRACKING_UNAVAILABLE,
    WORKSPACE_NOT_FOUND,
    WORKSPACES_DISABLED,
    Refused,
    Unreachable,
)
from modelyard.adapters.mlflow.text import one_line
from modelyard.adapters.mlflow.workspaces import is_workspace_absent, without_workspaces
from modelyard.core.plan import Failure

_STATUS = re.compile(r"failed with error code (\d{3}) != \d+\. Response body: '(.*)'", re.DOTALL)
_GIVEN_UP = re.compile(r"too many (\d{3}) error responses")
_USERINFO = re.compile(r"(://)[^/@\s]+@")
_AUTHORIZATION = re.compile(r"\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)

_STATUS_OF_CODE = {
    "UNAUTHENTICATED": 401,
    "CUSTOMER_UNAUTHORIZED": 401,
    "PERMISSION_DENIED": 403,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "TEMPORARILY_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
}
_GATEWAY_STATUSES = frozenset({502, 503, 504})


def refusal(error: Exception, config: MlflowConfig) -> Refused:
    """The refusal that this exception of MLflow's client stands for."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, RestException):
        return (_of_workspace(error, config) if config.workspace else None) or _of_answer(error, config)
    if (cause := _network_cause(error)) is not None:
        return Unreachable(Failure(TRACKING_UNAVAILABLE, f"MLflow at {config.shown_uri} does not answer: {cause}."))
    status, body = _status_of(error)
    if status is not None:
        return _of_status(status, body, config)
    return _not_mlflow(config, cleaned(str(error)))


def cleaned(text: str) -> str:
    """Foreign text for a message: one line, no credentials, which a server or a proxy may have echoed."""
    for secret in environment.secrets():
        text = text.replace(secret, "***")
    return one_line(_AUTHORIZATION.sub(r"\1 ***", _USERINFO.sub(r"\1", text)), 300)


def _of_workspace(error: RestException, config: MlflowConfig) -> Refused | None:
    """What is wrong with the workspace, if anything is."""
    if str(error.error_code) == "FEATURE_DISABLED":
        return Refused(Failure(WORKSPACES_DISABLED, without_workspaces(config)))
    return Refused(Failure(WORKSPACE_NOT_FOUND, _workspace_cure(config))) if is_workspace_absent(error) else None


def _of_answer(error: RestException, config: MlflowConfig) -> Refused:
    """MLflow's own answer in its own form."""
    code = str(error.error_code)
    if code in _STATUS_OF_CODE:
        return _of_status(_STATUS_OF_CODE[code], str(error.message), config)
    said = cleaned(str(error.message).removeprefix(f"{code}: "))
    if code == "RESOURCE_DOES_NOT_EXIST" and "Run with id=" in said:
        return _final(RUN_NOT_FOUND, f"MLflow does not know the run any more: {said}")
    if "must be in the 'active' state" in said:
        return _final(RUN_DELETED, f"{said} Restore it in MLflow, or start again with a new object.")
    if code == "INVALID_PARAMETER_VALUE" and re.search(r"\b(name|alias|key)\b", said, re.IGNORECASE):
        return _final(NAME_INVALID, f"MLflow refuses a name: {said}")
    if code == "ENDPOINT_NOT_FOUND":
        return _not_mlflow(config, said)
    return _final(INVALID_REQUEST, f"MLflow refuses the request: {said}")


def _of_status(status: int, body: str, config: MlflowConfig) -> Refused:
    """An answer that says no more than its HTTP status."""
    where = f"MLflow at {config.shown_uri}"
    said = cleaned(body)
    if status == 403 and "Invalid Host header" in body:
        return Refused(Failure(HOST_REJECTED, _host_cure(config)))
    if status in {401, 403}:
        cure = "check the credentials that the operator has, and their permissions in MLflow"
        return Refused(Failure(ACCESS_DENIED, f"{where} refuses access (HTTP {status}): {cure}. It said: {said}"[:500]))
    if status in _GATEWAY_STATUSES:
        return Unreachable(Failure(TRACKING_UNAVAILABLE, f"{where} does not answer: HTTP {status}."))
    if status == 429 or status >= 500:
        return Refused(Failure(TRACKING_UNAVAILABLE, f"{where} cannot answer now: HTTP {status}."))
    if 300 <= status < 400:
        return _not_mlflow(config, f"a redirect (HTTP {status}); name the final address")
    return _not_mlflow(config, f"HTTP {status}: {said}")


def _host_cure(config: MlflowConfig) -> str:
    host = urlsplit(config.uri).hostname or ""
    return (
        f"MLflow at {config.shown_uri} rejects the host name {host}: add '{host},{host}:*' to "
        "MLFLOW_SERVER_ALLOWED_HOSTS of the MLflow server "
        "(the list replaces its defaults: keep localhost and localhost:* in it)."
    )


def _workspace_cure(config: MlflowConfig) -> str:
    name = config.workspace
    return (
        f"MLflow at {config.shown_uri} has no workspace {name}, which the namespace {name} is to be kept in: "
        f"let an administrator of MLflow make it (mlflow.create_workspace({name!r}))."
    )


def _not_mlflow(config: MlflowConfig, said: str) -> Refused:
    message = (
        f"What answers at {config.shown_uri} does not speak as MLflow does; check the tracking URI. It said: {said}"
    )
    return Refused(Failure(INVALID_RESPONSE, one_line(message)))


def _final(reason: str, message: str) -> Refused:
    return Refused(Failure(reason, one_line(message), is_transient=False))


def _network_cause(error: BaseException) -> str | None:
    """Why there was no answer, without addresses of objects or counters in it; None: there was one."""
    causes = tuple(_causes(error))
    for kind, text in _NETWORK_CAUSES:
        if any(isinstance(cause, kind) for cause in causes):
            return text
    return None


_NETWORK_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its host name does not resolve"),
    (ConnectionRefusedError, "connection refused"),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted (set MLFLOW_TRACKING_SERVER_CERT_PATH to its authority's)",
    ),
    (requests.exceptions.SSLError, "it does not speak TLS as expected"),
    (requests.exceptions.Timeout, "timed out"),
    (TimeoutError, "timed out"),
    (requests.exceptions.ConnectionError, "the connection broke"),
    (requests.exceptions.ChunkedEncodingError, "the connection broke"),
)


def _status_of(error: BaseException) -> tuple[int | None, str]:
    """The HTTP status and the body, which the client tells in its messages only."""
    for cause in _causes(error):
        if isinstance(cause, ResponseError) and (given_up := _GIVEN_UP.search(str(cause))):
            return int(given_up[1]), ""
        if isinstance(cause, MlflowException) and (status := _STATUS.search(str(cause))):
            return int(status[1]), status[2]
    return None, ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it came from; the client raises its own without `from`."""
    current: BaseException | None = error
    for _ in range(16):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__
