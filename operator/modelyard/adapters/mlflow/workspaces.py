"""Workspaces: a question is asked in one of them, and a server that has none must not answer it."""

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mlflow.exceptions import MlflowException, RestException
from mlflow.store.workspace.abstract_store import WorkspaceNameValidator
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response
from mlflow.utils.workspace_context import ServerWorkspaceContext

from modelyard.adapters.mlflow.config import MlflowConfig
from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import MISSING, WORKSPACE_INVALID, WORKSPACES_DISABLED, Refused
from modelyard.adapters.mlflow.text import WORKSPACE, matching, one_line
from modelyard.core.plan import Failure

_INFO = "/api/3.0/mlflow/server-info"
_MISSING_WORKSPACE = re.compile(r"(RESOURCE_DOES_NOT_EXIST: )?Workspace\b")


def inside(workspace: str) -> AbstractContextManager[Any]:
    """What this thread asks in the block it asks in the workspace, which MLflow's client names in each request.

    The client's own `set_workspace` would change the environment of all threads.

    Raises:
        Refused: no workspace can have this name.
    """
    if not workspace:
        return nullcontext()
    try:
        WorkspaceNameValidator.validate(workspace)
    except MlflowException as error:
        message = f"MLflow allows no workspace named {workspace}: use another namespace. It said: {error.message}"
        raise Refused(Failure(WORKSPACE_INVALID, one_line(message), is_transient=False)) from error
    return ServerWorkspaceContext(workspace)


def is_absent(error: RestException) -> bool:
    """Whether it says that what was asked for is not there; of a workspace that is not there nothing is known."""
    return error.error_code == MISSING and not is_workspace_absent(error)


def is_workspace_absent(error: RestException) -> bool:
    """Whether it says that the workspace is not there: with the same code as of everything else."""
    return error.error_code == MISSING and bool(_MISSING_WORKSPACE.match(str(error.message)))


def check_workspaces(connection: Connection, config: MlflowConfig) -> None:
    """Servers before 3.10 do not read the header, and would keep everything in one place.

    Raises:
        Refused: the server does not say that it has workspaces.
    """
    host = get_default_host_creds(connection.uri)  # type: ignore[no-untyped-call] # MLflow's is not typed
    response = http_request(host, _INFO, "GET", allow_redirects=False, raise_on_status=False)  # type: ignore[no-untyped-call] # nor is this
    if response.status_code == 404 or not verify_rest_response(response, _INFO).json().get("workspaces_enabled"):
        raise Refused(Failure(WORKSPACES_DISABLED, without_workspaces(config)))


def find_workspaces(connection: Connection) -> tuple[str, ...]:
    """The names of those that the account may see."""
    return tuple(matching(WORKSPACE, found.name, "a workspace") for found in connection.client.list_workspaces())


def without_workspaces(config: MlflowConfig) -> str:
    """What is said of a server that has none."""
    return (
        f"MLflow at {config.shown_uri} has no workspaces, and mlflow.workspaces asks for one for each namespace: start "
        "it with --enable-workspaces (MLflow 3.10 or newer), or set mlflow.workspaces to None."
    )
