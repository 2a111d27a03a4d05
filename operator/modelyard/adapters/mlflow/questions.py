"""Which function answers which question. Importing this module imports MLflow's client, which takes a second or two."""

import logging
from typing import Any

from google.protobuf.json_format import ParseError  # type: ignore[import-untyped] # ships no types
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from modelyard.adapters.mlflow import (
    alias_moves,
    environment,
    experiments,
    files,
    measurements,
    models,
    registry,
    runs,
    workspaces,
)
from modelyard.adapters.mlflow.config import MlflowConfig
from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.translate import refusal
from modelyard.core.model_card import ReadExample, ReadModelCard
from modelyard.core.tracking import (
    CheckWorkspaces,
    EndRun,
    EnsureExperiment,
    EnsureRun,
    FindModels,
    FindOpenRuns,
    FindRuns,
    FindWorkspaces,
    GetVersion,
    MoveAlias,
    ReadAlias,
    ReadMeasurements,
    ReadMetrics,
    RegisterVersion,
    ResolveAlias,
    TagRun,
    TagVersion,
    TrackingQuestion,
)

_logger = logging.getLogger(__name__)

_MALFORMED = (ParseError, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What MLflow's client raises when an answer is JSON of another shape than it expects."""


def answer(question: TrackingQuestion, config: MlflowConfig, deadline: float) -> Any:  # noqa: ANN401 - the question's docstring says
    """The answer, in the thread of the caller; `deadline` is a time of `time.monotonic`.

    Raises:
        Refused: MLflow said no, or nothing.
    """
    environment.apply(config)
    try:
        with workspaces.inside(config.workspace):
            return _ask(Connection(config, deadline), config, question)
    except (MlflowException, RequestException, OSError) as error:
        raise refusal(error, config) from error
    except _MALFORMED as error:
        _logger.warning("could not read MLflow's answer to %s", type(question).__name__, exc_info=True)
        raise refusal(error, config) from error


def _ask(connection: Connection, config: MlflowConfig, question: TrackingQuestion) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - one line for each question
    match question:
        case EnsureExperiment():
            return experiments.ensure_experiment(connection, question.name)
        case FindRuns():
            return runs.find_runs(connection, question)
        case EnsureRun():
            return runs.ensure_run(connection, question)
        case TagRun():
            return runs.tag_run(connection, question)
        case EndRun():
            return runs.end_run(connection, question)
        case FindModels():
            return models.find_models(connection, question)
        case RegisterVersion():
            return registry.register_version(connection, question)
        case ReadMetrics():
            return runs.read_metrics(connection, question)
        case ResolveAlias() | ReadAlias():
            return registry.resolve_alias(connection, question)
        case MoveAlias():
            return alias_moves.move_alias(connection, question)
        case TagVersion():
            return registry.tag_version(connection, question)
        case ReadMeasurements():
            return measurements.read_measurements(connection, question)
        case GetVersion():
            return registry.get_version(connection, question)
        case FindOpenRuns():
            return runs.find_open_runs(connection, question)
        case CheckWorkspaces():
            return workspaces.check_workspaces(connection, config)
        case FindWorkspaces():
            return workspaces.find_workspaces(connection)
        case ReadModelCard():
            return files.read_model_card(connection, question)
        case ReadExample():
            return files.read_example(connection, question)
