"""Logged models: what a run left behind."""

import json
from collections.abc import Iterator

from mlflow.entities import LoggedModel as MlflowModel

from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.text import (
    EXPERIMENT_ID,
    MODEL_ID,
    NAME_LENGTH,
    RUN_ID,
    VERSION,
    checked,
    has_control_characters,
    matching,
    one_line,
)
from modelyard.core.tracking import FindModels, LoggedModel, Pairs

_PAGE = 100
_MOST_MODELS = 1000
_VERSIONS_TAG = "mlflow.modelVersions"
_STATUSES = {"FAILED": "UPLOAD_FAILED"}
"""The client's names that differ from the API's."""


def find_models(connection: Connection, question: FindModels) -> tuple[LoggedModel, ...]:
    """The models that the run logged, oldest first; at most 1,000."""
    run_id = checked(RUN_ID, question.run_id, "a run id")
    experiment_id = checked(EXPERIMENT_ID, question.experiment_id, "an experiment id")
    found = sorted(_models_of(connection, run_id, experiment_id), key=lambda model: model.creation_timestamp)
    return tuple(_logged_model(model) for model in found)


def registered_versions(model: MlflowModel) -> Pairs:
    """Versions that were made of this model, as MLflow noted in a tag; whatever else stands there is left out."""
    try:
        entries = json.loads(model.tags.get(_VERSIONS_TAG, "[]"))
    except (ValueError, RecursionError):
        return ()
    if not isinstance(entries, list):
        return ()
    # Code that logs and registers in one call leaves each version noted twice.
    return tuple(dict.fromkeys(pair for entry in entries if (pair := _version_pair(entry)) is not None))


def _models_of(connection: Connection, run_id: str, experiment_id: str) -> Iterator[MlflowModel]:
    token: str | None = None
    for _ in range(_MOST_MODELS // _PAGE):
        page = connection.client.search_logged_models(
            [experiment_id], filter_string=f"source_run_id='{run_id}'", max_results=_PAGE, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _logged_model(model: MlflowModel) -> LoggedModel:
    status = str(model.status).removeprefix("LOGGED_MODEL_")
    return LoggedModel(
        model_id=matching(MODEL_ID, model.model_id, "a model id"),
        name=one_line(str(model.name), NAME_LENGTH),
        status=_STATUSES.get(status, status),
        versions=registered_versions(model),
    )


def _version_pair(entry: object) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    name, version = entry.get("name"), str(entry.get("version"))
    if not isinstance(name, str) or not VERSION.fullmatch(version):
        return None
    return (name, version) if 0 < len(name) <= NAME_LENGTH and not has_control_characters(name) else None
