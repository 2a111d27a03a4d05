"""Experiments: found by name or created, and listed."""

from collections.abc import Iterator

from mlflow.exceptions import RestException

from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import EXPERIMENT_DELETED, INVALID_RESPONSE, Refused
from modelyard.adapters.mlflow.text import EXPERIMENT_ID, matching, one_line
from modelyard.core.plan import Failure

_PAGE = 1000


def ensure_experiment(connection: Connection, name: str) -> str:
    """The id of the experiment of this name, which is created unless it exists.

    Raises:
        Refused: an experiment of this name is deleted; MLflow keeps the name taken.
    """
    found = _find(connection, name)
    return found if found is not None else _create(connection, name)


def experiment_ids(connection: Connection) -> Iterator[str]:
    """All experiments that are not deleted."""
    token: str | None = None
    while True:
        page = connection.client.search_experiments(max_results=_PAGE, page_token=token)
        for experiment in page:
            yield matching(EXPERIMENT_ID, experiment.experiment_id, "an experiment id")
        token = page.token
        if not token:
            return


def _find(connection: Connection, name: str) -> str | None:
    experiment = connection.client.get_experiment_by_name(name)
    if experiment is None:
        return None
    experiment_id = matching(EXPERIMENT_ID, experiment.experiment_id, "an experiment id")
    if experiment.lifecycle_stage == "deleted":
        cure = f"restore it (mlflow experiments restore --experiment-id {experiment_id}) or choose another name"
        message = f"The experiment {name!r:.200} is deleted in MLflow, which keeps its name taken: {cure}."
        raise Refused(Failure(EXPERIMENT_DELETED, one_line(message), is_transient=False))
    return experiment_id


def _create(connection: Connection, name: str) -> str:
    try:
        return matching(EXPERIMENT_ID, connection.client.create_experiment(name), "an experiment id")
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # Another one was faster: its experiment is as good as ours.
    found = _find(connection, name)
    if found is None:
        message = f"MLflow says of the experiment {name!r:.200} both that it exists and that it does not."
        raise Refused(Failure(INVALID_RESPONSE, one_line(message)))
    return found
