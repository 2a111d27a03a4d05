"""Files of a model version, read through MLflow with MLflow's own access to where they lie."""

from mlflow.exceptions import RestException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response
from requests import Response

from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import MODEL_UNREADABLE, Refused
from modelyard.adapters.mlflow.mlmodel import EXAMPLE_PATH, UnreadableError, card_of
from modelyard.adapters.mlflow.text import VERSION, checked
from modelyard.adapters.mlflow.workspaces import is_absent
from modelyard.core.model_card import ModelCard, ReadExample, ReadModelCard
from modelyard.core.plan import Failure

MOST_BYTES = 1 << 20
"""Of one file: an MLmodel with ten thousand columns has less."""
_ENDPOINT = "/model-versions/get-artifact"
_CHUNK = 1 << 16
_ERROR_BYTES = 1 << 16


def read_model_card(connection: Connection, question: ReadModelCard) -> ModelCard | None:
    """What the version's files say of it."""
    name, version = question.name, checked(VERSION, question.version, "a version")
    mlmodel = read_text(connection, name, version, "MLmodel")
    if mlmodel is None:
        return None
    others = (read_text(connection, name, version, path) for path in ("requirements.txt", "python_env.yaml"))
    try:
        return card_of(mlmodel, *others)
    except UnreadableError as error:
        raise _unreadable(name, version, "MLmodel", str(error)) from error


def read_example(connection: Connection, question: ReadExample) -> str | None:
    """The example request, as it was logged."""
    version = checked(VERSION, question.version, "a version")
    return read_text(connection, question.name, version, checked(EXAMPLE_PATH, question.path, "a path"))


def read_text(connection: Connection, name: str, version: str, path: str) -> str | None:
    """One file's text, or None when version or file do not exist.

    Raises:
        Refused: it is too large or no text, or MLflow says no.
    """
    with _get(connection, {"name": name, "version": version, "path": path}) as response:
        if response.status_code != 200:
            _raise_unless_missing(response)
            return None
        content = _bounded(response, MOST_BYTES)
    if len(content) > MOST_BYTES:
        raise _unreadable(name, version, path, f"it has more than {MOST_BYTES >> 20} MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(name, version, path, "it is not text") from error


def _get(connection: Connection, parameters: dict[str, str]) -> Response:
    """MLflow's client has no call for this; the address and the credentials are its own."""
    host = get_default_host_creds(connection.uri)  # type: ignore[no-untyped-call] # MLflow's is not typed
    response: Response = http_request(  # type: ignore[no-untyped-call] # nor is this
        host, _ENDPOINT, "GET", params=parameters, stream=True, allow_redirects=False, raise_on_status=False
    )
    return response


def _raise_unless_missing(response: Response) -> None:
    """Raise what MLflow says, but of what does not exist."""
    response._content = _bounded(response, _ERROR_BYTES)  # noqa: SLF001 - requests reads it all otherwise
    try:
        verify_rest_response(response, _ENDPOINT)
    except RestException as error:
        if not is_absent(error):
            raise


def _bounded(response: Response, most: int) -> bytes:
    """The body, and of a larger one no more than tells that it is."""
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > most:
            break
    return bytes(content)


def _unreadable(name: str, version: str, path: str, what: str) -> Refused:
    message = f"{path} of {name:.200} version {version} cannot be used: {what}; log the model again with MLflow."
    return Refused(Failure(MODEL_UNREADABLE, message, is_transient=False))
