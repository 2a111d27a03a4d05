"""Runs: one for each attempt, found by its tags before it is made."""

import logging
import math
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from mlflow.entities import Param, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from modelyard.adapters.mlflow import datasets, experiments
from modelyard.adapters.mlflow.connection import Connection
from modelyard.adapters.mlflow.failures import INVALID_RESPONSE, RUN_DELETED, Refused
from modelyard.adapters.mlflow.identity import identity_filter, identity_of, identity_tags, owner_filter
from modelyard.adapters.mlflow.text import (
    EXPERIMENT_ID,
    NAME_LENGTH,
    PARAMETER_LENGTH,
    RUN_ID,
    RUN_TAG_LENGTH,
    checked,
    cut,
    matching,
    one_line,
    quoted,
    tags_within,
)
from modelyard.api import names
from modelyard.api.training_job import INVALID_SPEC
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AttemptIdentity,
    Ended,
    EndRun,
    EnsureRun,
    FindOpenRuns,
    FindRuns,
    Metric,
    OpenRun,
    Pairs,
    ReadMetrics,
    Run,
    TagRun,
)

_logger = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 100
"""MLflow's limit of parameters and of tags in one request."""
_EXPERIMENTS_AT_ONCE = 1000
"""Measured with 2,000 experiments: 3 times as fast as 100 at once, and no slower than all at once."""
_PAGE = 1000
_MOST_OPEN_RUNS = 10_000
_DUPLICATE = "Duplicate"
_SUPERSEDED = "Superseded"
"""Reasons of runs that no code ever saw."""
_YES = "true"
_RUNNING = "RUNNING"
_ENDED = ("FINISHED", "FAILED", "KILLED")
_SYSTEM_METRICS = "system/"
_PARENT_RUN = "mlflow.parentRunId"
_TAGS_OF_AN_END = (names.TAG_REASON, names.TAG_EXIT_CODE, names.TAG_NODE, names.TAG_POD, names.TAG_IMAGE_ID)
"""What is told of an attempt at its end, and is not true of the next."""


def ensure_run(connection: Connection, question: EnsureRun) -> Run:
    """The attempt's run with its parameters; created unless it exists in the experiment of that name."""
    experiment_id = experiments.ensure_experiment(connection, question.experiment)
    run = _find_run(connection, experiment_id, question)
    if run is not None and _was_made_for_another_spec(run, question):
        _set_aside(connection, run, _SUPERSEDED)
        run = None
    if run is None:
        run = _create_run(connection, experiment_id, question)
    elif question.is_shared or _was_refused(run):
        _go_on(connection, run, question)
    run_id = matching(RUN_ID, run.info.run_id, "a run id")
    _log_missing_parameters(connection, run, question.parameters)
    datasets.log_missing(connection, run_id, run.inputs.dataset_inputs if run.inputs else [], question.datasets)
    return Run(run_id=run_id, experiment_id=experiment_id)


def find_runs(connection: Connection, question: FindRuns) -> tuple[Run, ...]:
    """Runs that name the attempt as the one whose code started them, in whatever experiment; oldest first."""
    attempt = f"tags.`{names.TAG_PARENT_ATTEMPT}` = {quoted(str(question.identity.attempt))}"
    wanted = f"{owner_filter(question.identity)} and {attempt}"
    found = [run for run in _search_everywhere(connection, wanted) if _PARENT_RUN not in run.data.tags]
    return tuple(
        Run(
            run_id=matching(RUN_ID, run.info.run_id, "a run id"),
            experiment_id=matching(EXPERIMENT_ID, run.info.experiment_id, "an experiment id"),
        )
        for run in sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))
    )


def tag_run(connection: Connection, question: TagRun) -> None:
    """Sets the tags, whatever they were."""
    _set_tags(connection, checked(RUN_ID, question.run_id, "a run id"), question.tags)


def end_run(connection: Connection, question: EndRun) -> Ended:
    """Ends the run and says what it was before."""
    run_id = question.run_id
    run = _get_run(connection, run_id)
    info = run.info
    if info.lifecycle_stage == "deleted":
        message = f"The run {run_id} is deleted in MLflow; restore it there to see how it ended."
        raise Refused(Failure(RUN_DELETED, message, is_transient=False))
    # Tags first: a run that is ended has told everything.
    _set_tags(connection, run_id, question.tags)
    _log_missing_parameters(connection, run, question.parameters)
    datasets.log_missing(connection, run_id, run.inputs.dataset_inputs if run.inputs else [], question.datasets)
    if (info.status, info.end_time) != (question.status.value, question.end_time_ms):
        connection.client.set_terminated(run_id, question.status.value, question.end_time_ms)
    if question.strays_of:
        _end_strays(connection, question, question.strays_of)
    has_system_metrics = any(name.startswith(_SYSTEM_METRICS) for name in run.data.metrics)
    return Ended(one_line(str(info.status), 20), has_system_metrics)


def read_metrics(connection: Connection, question: ReadMetrics) -> tuple[Metric, ...]:
    """The latest values of the metrics asked for."""
    run = _get_run(connection, question.run_id)
    # The dictionary that the client offers has no steps; the message it was made from has.
    latest = {metric.key: metric for metric in run.data.to_proto().metrics}
    found = (latest[name] for name in question.names if name in latest)
    return tuple(Metric(name=metric.key, value=honest(metric.value), step=metric.step) for metric in found)


def find_open_runs(connection: Connection, question: FindOpenRuns) -> tuple[OpenRun, ...]:
    """Runs of this cluster that MLflow believes to be going on, in whatever experiment; at most 10,000 of them."""
    if question.owner_uid is not None:
        return _untold_runs(connection, AttemptIdentity(question.cluster, question.owner_uid, 1))
    return _open_runs(connection, f"tags.`{names.TAG_CLUSTER}` = {quoted(question.cluster)}")


def _untold_runs(connection: Connection, owner: AttemptIdentity) -> tuple[OpenRun, ...]:
    """Runs of all attempts of one owner that are open, or that end without the reason that every attempt's end has."""
    found = (_open_run(run) for run in _search_everywhere(connection, owner_filter(owner)) if _is_untold(run))
    return tuple(islice((run for run in found if run is not None), _MOST_OPEN_RUNS))


def _is_untold(run: MlflowRun) -> bool:
    """Code that is told to stop ends its own run as failed: of the attempt's run that is not the last word."""
    if run.info.status == "FAILED":
        return names.TAG_ATTEMPT in run.data.tags and names.TAG_REASON not in run.data.tags
    return run.info.status not in _ENDED


def _end_strays(connection: Connection, question: EndRun, attempt: AttemptIdentity) -> None:
    """End what the attempt's code left open beside its own run, as the attempt ended.

    The attempt's own run is ended by now, and that counts: what fails here, the next sweep does.
    """
    try:
        for stray in _open_runs(connection, owner_filter(attempt)):
            if stray.identity == attempt and stray.run_id != question.run_id:
                connection.client.set_terminated(stray.run_id, question.status.value, question.end_time_ms)
    except (MlflowException, RequestException, OSError, Refused) as error:
        _logger.warning("further runs of an attempt stay open until the next sweep: %s", error)


def _open_runs(connection: Connection, whose: str) -> tuple[OpenRun, ...]:
    ended = " and ".join(f"attributes.status != '{status}'" for status in _ENDED)
    wanted = f"{whose} and {ended}"
    found = (_open_run(run) for run in _search_everywhere(connection, wanted))
    return tuple(islice((open_run for open_run in found if open_run is not None), _MOST_OPEN_RUNS))


def _search_everywhere(connection: Connection, wanted: str) -> Iterator[MlflowRun]:
    """Code starts runs in experiments that it chooses."""
    for experiment_ids in _batches(list(experiments.experiment_ids(connection)), _EXPERIMENTS_AT_ONCE):
        yield from _search(connection, experiment_ids, wanted)


def _get_run(connection: Connection, run_id: str) -> MlflowRun:
    run = connection.client.get_run(checked(RUN_ID, run_id, "a run id"))
    if run.info.run_id != run_id:
        message = f"MLflow was asked for the run {run_id} and answered with {run.info.run_id!r:.100}."
        raise Refused(Failure(INVALID_RESPONSE, one_line(message)))
    return run


def _find_run(connection: Connection, experiment_id: str, question: EnsureRun) -> MlflowRun | None:
    """The oldest run with the attempt's tags: everyone who looks chooses the same."""
    wanted = identity_filter(question.identity)
    if question.is_shared:
        wanted = f"{owner_filter(question.identity)} and tags.`{names.TAG_SHARED}` = '{_YES}'"
    found = connection.client.search_runs([experiment_id], wanted, max_results=_BATCH)
    runs = [run for run in found if run.data.tags.get(names.TAG_REASON) not in {_DUPLICATE, _SUPERSEDED}]
    return min(runs, key=lambda run: (run.info.start_time, run.info.run_id), default=None)


def _create_run(connection: Connection, experiment_id: str, question: EnsureRun) -> MlflowRun:
    """A new run, unless looking again shows an older one.

    A create whose answer was lost can still take effect while the next one is under way: MLflow has no unique key that
    would refuse the second.
    """
    tags = _own_tags(question)
    run_name = one_line(question.run_name, NAME_LENGTH)
    created = connection.client.create_run(experiment_id, tags=tags, run_name=run_name)
    oldest = _find_run(connection, experiment_id, question)
    if oldest is None or oldest.info.run_id == created.info.run_id:
        return created
    _set_aside(connection, created, _DUPLICATE)
    return oldest


def _set_aside(connection: Connection, run: MlflowRun, reason: str) -> None:
    """End a run that is no attempt's."""
    connection.client.set_tag(run.info.run_id, names.TAG_REASON, reason)
    connection.client.set_terminated(run.info.run_id, "KILLED")


def _was_made_for_another_spec(run: MlflowRun, question: EnsureRun) -> bool:
    """Whether the spec was changed since: before its first attempt began, as after the Job was refused.

    Parameters and inputs of a run cannot be changed. A shared run of later attempts stays, whatever it says.
    """
    said = run.data.tags
    if question.is_shared and (question.identity.attempt > 1 or said.get(names.TAG_ATTEMPT) != "1"):
        return False
    if run.inputs and datasets.has_others(run.inputs.dataset_inputs, question.datasets):
        return True
    return any(said.get(key) != text for key, text in _own_tags(question).items())


def _was_refused(run: MlflowRun) -> bool:
    """Whether it was ended because its attempt's Job could not be made."""
    return run.data.tags.get(names.TAG_REASON) == INVALID_SPEC


def _go_on(connection: Connection, run: MlflowRun, question: EnsureRun) -> None:
    """Make a run of earlier attempts, or of a Job that was refused, this attempt's.

    It first says whose it is: a run that is open and names an attempt that is over counts as left behind. MLflow keeps
    the old end time until the run is ended again.
    """
    run_id, said = run.info.run_id, run.data.tags
    news = {key: text for key, text in _own_tags(question).items() if said.get(key) != text}
    _set_tags(connection, run_id, tuple(news.items()))
    for name in _TAGS_OF_AN_END:
        if name in said:
            connection.client.delete_tag(run_id, name)
    if run.info.status != _RUNNING:
        connection.client.update_run(run_id, status=_RUNNING)


def _own_tags(question: EnsureRun) -> dict[str, str]:
    shared = {names.TAG_SHARED: _YES} if question.is_shared else {}
    return tags_within(question.tags, RUN_TAG_LENGTH) | identity_tags(question.identity) | shared


def _log_missing_parameters(connection: Connection, run: MlflowRun, parameters: Pairs) -> None:
    """Parameters cannot be changed in MLflow; those that the run has, from us or from the code, stay."""
    wanted = {key[:250]: cut(value, PARAMETER_LENGTH) for key, value in parameters}
    missing = [Param(key, value) for key, value in wanted.items() if key not in run.data.params]
    for batch in _batches(missing, _BATCH):
        connection.client.log_batch(run.info.run_id, params=batch)


def _set_tags(connection: Connection, run_id: str, tags: Pairs) -> None:
    wanted = [RunTag(key, value) for key, value in tags_within(tags, RUN_TAG_LENGTH).items()]
    for batch in _batches(wanted, _BATCH):
        connection.client.log_batch(run_id, tags=batch)


def _search(connection: Connection, experiment_ids: Sequence[str], wanted: str) -> Iterator[MlflowRun]:
    token: str | None = None
    while True:
        page = connection.client.search_runs(list(experiment_ids), wanted, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _open_run(run: MlflowRun) -> OpenRun | None:
    identity = identity_of(run.data.tags)
    if identity is None:
        return None
    matching(EXPERIMENT_ID, run.info.experiment_id, "an experiment id")
    return OpenRun(run_id=matching(RUN_ID, run.info.run_id, "a run id"), identity=identity)


def honest(value: float) -> float:
    """MLflow's database cannot keep an infinity and returns the largest number instead."""
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else value


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
