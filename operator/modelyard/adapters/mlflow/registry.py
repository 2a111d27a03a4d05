"""Registered models: their versions and the aliases that point at them."""

import re
from collections.abc import Iterator

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import RestException

from modelyard.adapters.mlflow import alias_moves
from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import INVALID_RESPONSE, Refused
from modelyard.adapters.mlflow.identity import carries, identity_tags
from modelyard.adapters.mlflow.models import registered_versions
from modelyard.adapters.mlflow.text import (
    MODEL_ID,
    RUN_ID,
    VERSION,
    VERSION_TAG_LENGTH,
    checked,
    matching,
    one_line,
    safe_pairs,
    tags_within,
)
from modelyard.adapters.mlflow.workspaces import is_absent
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    GetVersion,
    ReadAlias,
    RegisteredVersion,
    RegisterVersion,
    ResolveAlias,
    TagVersion,
)

_MODEL_SOURCE = re.compile(r"models:/(m-[0-9a-f]{32})/?")
_PAGE = 200
_MOST_PAGES = 5


def register_version(connection: Connection, question: RegisterVersion) -> RegisteredVersion:
    """The one version of this logged model, with its tags and aliases."""
    checked(MODEL_ID, question.model_id, "a model id")
    checked(RUN_ID, question.run_id, "a run id")
    version = _find_version(connection, question) or _create_version(connection, question)
    number = matching(VERSION, str(version.version), "a version")
    tags = _wanted_tags(question)
    for key, value in tags.items():
        if version.tags.get(key) != value:
            connection.client.set_model_version_tag(question.name, number, key, value)
    for alias in question.aliases:
        alias_moves.point(connection, question.name, alias, number)
    return _registered(version, question.name, version.tags | tags)


def resolve_alias(connection: Connection, question: ResolveAlias | ReadAlias) -> RegisteredVersion | None:
    """The version that the alias points at now."""
    version = alias_moves.holder_of(connection, question.name, question.alias)
    return None if version is None else _registered(version, question.name, version.tags)


def get_version(connection: Connection, question: GetVersion) -> RegisteredVersion | None:
    """One version by its number."""
    number = checked(VERSION, question.version, "a version")
    version = _version(connection, question.name, number)
    return None if version is None else _registered(version, question.name, version.tags)


def tag_version(connection: Connection, question: TagVersion) -> RegisteredVersion | None:
    """The version with these tags; those that it has already are not written again."""
    number = checked(VERSION, question.version, "a version")
    version = _version(connection, question.name, number)
    if version is None:
        return None
    tags = tags_within(question.tags, VERSION_TAG_LENGTH)
    for key, value in tags.items():
        if version.tags.get(key) != value:
            connection.client.set_model_version_tag(question.name, number, key, value)
    return _registered(version, question.name, version.tags | tags)


def _find_version(connection: Connection, question: RegisterVersion) -> ModelVersion | None:
    """Searched by the run's id and compared here, so that no name ever gets into a filter."""
    of_this_name = [
        version for version in _versions_of_run(connection, question.run_id) if version.name == question.name
    ]
    ours = [version for version in of_this_name if carries(version.tags, question.identity)]
    same_model = [version for version in of_this_name if _model_id(version) == question.model_id]
    return _first(ours) or _first(same_model) or _first(_versions_of_model(connection, question))


def _create_version(connection: Connection, question: RegisterVersion) -> ModelVersion:
    """A new version, unless looking again shows an older one: a create whose answer was lost can take effect late."""
    _ensure_registered_model(connection, question.name)
    created = connection.client.create_model_version(
        question.name,
        f"models:/{question.model_id}",
        run_id=question.run_id,
        tags=_wanted_tags(question),
        await_creation_for=0,
        model_id=question.model_id,
    )
    oldest = _find_version(connection, question)
    if oldest is None or int(oldest.version) >= int(created.version):
        return created
    connection.client.delete_model_version(question.name, str(created.version))
    return oldest


def _ensure_registered_model(connection: Connection, name: str) -> None:
    try:
        connection.client.create_registered_model(name)
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _versions_of_run(connection: Connection, run_id: str) -> Iterator[ModelVersion]:
    token: str | None = None
    for _ in range(_MOST_PAGES):
        page = connection.client.search_model_versions(f"run_id='{run_id}'", max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _versions_of_model(connection: Connection, question: RegisterVersion) -> list[ModelVersion]:
    """Versions that the code made of this model without naming the run."""
    noted = registered_versions(connection.client.get_logged_model(question.model_id))
    found = (_version(connection, name, number) for name, number in noted if name == question.name)
    return [version for version in found if version is not None and _model_id(version) == question.model_id]


def _first(versions: list[ModelVersion]) -> ModelVersion | None:
    return min(versions, key=lambda version: int(matching(VERSION, str(version.version), "a version")), default=None)


def _version(connection: Connection, name: str, number: str) -> ModelVersion | None:
    try:
        return connection.client.get_model_version(name, number)
    except RestException as error:
        if is_absent(error):
            return None
        raise


def _wanted_tags(question: RegisterVersion) -> dict[str, str]:
    return tags_within(question.tags, VERSION_TAG_LENGTH) | identity_tags(question.identity)


def _registered(version: ModelVersion, name: str, tags: dict[str, str]) -> RegisteredVersion:
    if version.name != name:
        message = f"MLflow was asked for the model {name!r:.200} and answered with {version.name!r:.200}."
        raise Refused(Failure(INVALID_RESPONSE, one_line(message)))
    return RegisteredVersion(
        name=name,
        version=matching(VERSION, str(version.version), "a version"),
        model_id=_model_id(version),
        run_id=matching(RUN_ID, version.run_id, "a run id") if version.run_id else None,
        tags=tuple(safe_pairs(tags.items(), VERSION_TAG_LENGTH)),
    )


def _model_id(version: ModelVersion) -> str | None:
    """MLflow returns it as a part of the source only."""
    source = _MODEL_SOURCE.fullmatch(version.source or "")
    return source[1] if source else None
