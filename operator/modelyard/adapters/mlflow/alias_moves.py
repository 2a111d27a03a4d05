"""Aliases: MLflow moves them for whoever asks, compares nothing and keeps no history."""

import re

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import RestException

from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import ALIAS_CONTESTED, NAME_INVALID, Refused
from modelyard.adapters.mlflow.text import VERSION, checked, matching, one_line
from modelyard.adapters.mlflow.workspaces import is_absent
from modelyard.core.plan import Failure
from modelyard.core.tracking import AliasHolder, MoveAlias

# Asked for "latest", MLflow answers with the newest version, as if it were an alias that somebody had set.
_RESERVED = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


def move_alias(connection: Connection, question: MoveAlias) -> AliasHolder:
    """Moves the alias from the expected version, and says what it points at then.

    Asked again after an answer was lost it finds the alias moved, and writes nothing.
    """
    number = checked(VERSION, question.version, "a version")
    _refuse_reserved(question.alias)
    before = _number_held(connection, question.name, question.alias)
    if before == number or before != question.expected:
        return AliasHolder(before)
    connection.client.set_registered_model_alias(question.name, question.alias, number)
    return AliasHolder(_number_held(connection, question.name, question.alias))


def point(connection: Connection, name: str, alias: str, number: str) -> None:
    """Set the alias unless it is set; MLflow's last writer wins, so it is read back."""
    _refuse_reserved(alias)
    for _ in range(2):
        if _number_held(connection, name, alias) == number:
            return
        connection.client.set_registered_model_alias(name, alias, number)
    if _number_held(connection, name, alias) != number:
        conflict = f"The alias {alias} of {name} was set to version {number}, but something else moves it"
        raise Refused(Failure(ALIAS_CONTESTED, one_line(f"{conflict}: stop one of the two.")))


def holder_of(connection: Connection, name: str, alias: str) -> ModelVersion | None:
    """The version that the alias points at. MLflow says 404 of an unknown model and 400 of an unknown alias."""
    try:
        return connection.client.get_model_version_by_alias(name, alias)
    except RestException as error:
        said = str(error.message)
        is_unknown_alias = error.error_code == "INVALID_PARAMETER_VALUE" and "alias" in said and "not found" in said
        if is_absent(error) or is_unknown_alias:
            return None
        raise


def _number_held(connection: Connection, name: str, alias: str) -> str | None:
    """The number of the version that the alias points at."""
    holder = holder_of(connection, name, alias)
    return None if holder is None else matching(VERSION, str(holder.version), "a version")


def _refuse_reserved(alias: str) -> None:
    """Raises Refused for a name that MLflow gives a meaning of its own."""
    if _RESERVED.fullmatch(alias):
        message = f"{alias!r:.100} cannot be an alias: MLflow reserves latest and v1, v2, …; choose another one."
        raise Refused(Failure(NAME_INVALID, message, is_transient=False))
