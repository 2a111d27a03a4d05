"""What was measured of a version: MLflow keeps it with the logged model, with the run, or with both."""

import math
from collections.abc import Iterable, Iterator

from mlflow.entities import Metric as MlflowMetric
from mlflow.exceptions import RestException

from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.runs import honest
from modelyard.adapters.mlflow.text import MODEL_ID, NAME_LENGTH, RUN_ID, checked, one_line
from modelyard.adapters.mlflow.workspaces import is_absent
from modelyard.core.tracking import Measurement, ReadMeasurements


def read_measurements(connection: Connection, question: ReadMeasurements) -> tuple[Measurement, ...]:
    """The latest value of each metric on each dataset, the logged model's before the run's."""
    return (
        *_latest(_of_model(connection, question.model_id), question.metrics, is_of_run=False),
        *_latest(_of_run(connection, question.run_id), question.metrics, is_of_run=True),
    )


def _of_model(connection: Connection, model_id: str | None) -> list[MlflowMetric]:
    """Nothing where the version was made of no logged model, or of one that is gone."""
    if model_id is None:
        return []
    try:
        return connection.client.get_logged_model(checked(MODEL_ID, model_id, "a model id")).metrics or []
    except RestException as error:
        if is_absent(error):
            return []
        raise


def _of_run(connection: Connection, run_id: str | None) -> list[MlflowMetric]:
    """Nothing where the version was made by no run, or by one that is gone."""
    if run_id is None:
        return []
    try:
        run = connection.client.get_run(checked(RUN_ID, run_id, "a run id"))
    except RestException as error:
        if is_absent(error):
            return []
        raise
    # The dictionary that the client offers has no datasets; the message it was made from has.
    return [MlflowMetric.from_proto(metric) for metric in run.data.to_proto().metrics]


def _latest(found: Iterable[MlflowMetric], wanted: tuple[str, ...], *, is_of_run: bool) -> Iterator[Measurement]:
    """Of each metric and dataset the value of the last step."""
    latest: dict[tuple[str, str | None], MlflowMetric] = {}
    for metric in sorted(found, key=lambda metric: (metric.step, metric.timestamp)):
        if metric.key in wanted:
            latest[metric.key, metric.dataset_name or None] = metric
    for (name, dataset), metric in sorted(latest.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        yield Measurement(name, one_line(dataset, NAME_LENGTH) if dataset else None, as_text(metric.value), is_of_run)


def as_text(value: float) -> str:
    """The value as a person would write it; NaN and Infinity by name."""
    value = honest(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)
