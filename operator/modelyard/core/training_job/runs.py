"""The MLflow run of an attempt: which one it is, and what it tells."""

from modelyard.api import names
from modelyard.core import clock
from modelyard.core.errors import Stalled
from modelyard.core.plan import Failure
from modelyard.core.tracking import EndRun, EnsureExperiment, EnsureRun, Pairs, Run, RunStatus, TagRun
from modelyard.core.training_job import datasets, lineage, memory, project, source
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.outcome import run_status_of

NOT_YET = ""
"""The id of a run that the code of an attempt is going to start by itself."""


def of_attempt(draft: Draft, number: int) -> Run:
    """The run that an attempt begins with.

    Raises:
        Waiting: MLflow must answer first.
        Stalled: MLflow refuses, and will until a person changes something.
    """
    is_adopted = draft.spec.tracking.is_adopted
    answer = draft.ask_or_wait(EnsureExperiment(_experiment(draft)) if is_adopted else _run_question(draft, number))
    if isinstance(answer, Failure):
        raise Stalled(answer.reason, answer.message)
    run = Run(NOT_YET, answer) if is_adopted else answer
    assert isinstance(run, Run)  # noqa: S101 - narrows the answer's type
    return run


def end_question(draft: Draft, record: Record) -> EndRun:
    """How the run of an attempt that is over ends; one that the code started is told only now whose it is."""
    number, is_adopted = record["number"], draft.spec.tracking.is_adopted
    adopted = (*_own_tags(draft, number, record.get("memory")), (names.TAG_ATTEMPT, str(number))) if is_adopted else ()
    return EndRun(
        record["runID"],
        run_status_of(record.get("ending") or record["reason"]),
        clock.to_milliseconds(clock.from_text(record["completionTime"])),
        (*adopted, *_ending_tags(draft, record)),
        strays_of=draft.identity(number),
        # Before its end they could take the place of those that the code is about to log.
        parameters=(
            *(_parameters(draft) if is_adopted else ()),
            *project.defaults(draft.spec, draft.observed.pods_of(number)),
        ),
        datasets=datasets.inputs(draft.spec) if is_adopted else (),
    )


def end_refused(draft: Draft, number: int, reason: str) -> None:
    """End the run that was made for an attempt whose Job cannot be: it goes on with it once the Job can.

    Raises:
        Open: the run is to be ended. That MLflow cannot do so now is no matter: the Job is tried again.
    """
    run = of_attempt(draft, number)
    if run.run_id:
        draft.ask(EndRun(run.run_id, RunStatus.FAILED, clock.to_milliseconds(draft.now), ((names.TAG_REASON, reason),)))


def tell_commit(draft: Draft, record: Record) -> None:
    """Tell the run of the first attempt which commit it runs, once that is known; its end tells it again."""
    commit = draft.status.get("sourceRevision")
    if commit and commit != draft.before.get("sourceRevision") and record.get("runID"):
        draft.ask(TagRun(record["runID"], source.tags(draft.spec, commit)))


def _run_question(draft: Draft, number: int) -> EnsureRun:
    """The attempt's run, with everything that leads back from it."""
    tracking = draft.spec.tracking
    return EnsureRun(
        identity=draft.identity(number),
        experiment=_experiment(draft),
        run_name=tracking.run_name or (draft.name if tracking.is_shared else f"{draft.name}-{number}"),
        tags=_own_tags(draft, number, memory.next_limit(draft.spec, draft.newest_record())),
        parameters=_parameters(draft),
        is_shared=tracking.is_shared,
        datasets=datasets.inputs(draft.spec),
    )


def _experiment(draft: Draft) -> str:
    """The name of the experiment that runs begin in."""
    return draft.spec.tracking.experiment or f"{draft.namespace}/{draft.name}"


def _parameters(draft: Draft) -> Pairs:
    """The parameters as MLflow keeps them."""
    return tuple((item.name, item.value) for item in draft.spec.parameters or [])


def _own_tags(draft: Draft, number: int, memory_limit: str | None) -> Pairs:
    """What leads back from a run, and what it was made of."""
    return (
        *((tag.name, tag.value) for tag in draft.spec.tracking.tags or []),
        *lineage.origin(draft, number),
        *lineage.request(draft, memory.with_limit(draft.spec, memory_limit)),
        ("mlflow.source.name", f"{draft.namespace}/{draft.name}"),
        ("mlflow.source.type", "PROJECT" if draft.spec.mlproject else "JOB"),
        *source.tags(draft.spec, draft.status.get("sourceRevision")),
        *project.tags(draft.spec),
    )


def _ending_tags(draft: Draft, record: Record) -> Pairs:
    """What the run keeps of how its pod ended."""
    tags = {
        names.TAG_REASON: record["reason"],
        names.TAG_EXIT_CODE: record.get("exitCode"),
        names.TAG_NODE: record.get("node"),
        names.TAG_POD: record.get("pod"),
    }
    told = ((name, str(value)) for name, value in tags.items() if value is not None)
    return (*told, *lineage.image(record), *source.tags(draft.spec, draft.status.get("sourceRevision")))
