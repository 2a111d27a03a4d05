"""The MLflow run of an attempt: which one it is, and what it tells."""

from modelyard.api import names
from modelyard.core import metadata
from modelyard.core.tracking import EnsureRun
from modelyard.core.training_job import datasets
from modelyard.core.training_job.draft import Draft, Record
from modelyard.core.training_job.model import lineage


def run_question(draft: Draft, number: int) -> EnsureRun:
    """The attempt's run, with everything that leads back from it."""
    tracking = draft.spec.tracking
    image = draft.spec.trainer.image or draft.context.trainer_image
    record = {"job": metadata.job_name(draft.resource, number)}
    return EnsureRun(
        identity=draft.identity(number),
        experiment=tracking.experiment or f"{draft.namespace}/{draft.name}",
        run_name=tracking.run_name or (draft.name if tracking.is_shared else f"{draft.name}-{number}"),
        tags=(
            *((tag.name, tag.value) for tag in tracking.tags or []),
            *lineage(draft, record),
            (names.TAG_IMAGE, image),
            ("mlflow.source.name", f"{draft.namespace}/{draft.name}"),
            ("mlflow.source.type", "JOB"),
        ),
        parameters=tuple((item.name, item.value) for item in draft.spec.parameters or []),
        is_shared=tracking.is_shared,
        datasets=datasets.inputs(draft.spec),
    )


def ending_tags(record: Record) -> tuple[tuple[str, str], ...]:
    """What the run keeps of how its pod ended."""
    tags = {
        names.TAG_REASON: record["reason"],
        names.TAG_EXIT_CODE: record.get("exitCode"),
        names.TAG_NODE: record.get("node"),
        names.TAG_POD: record.get("pod"),
    }
    return tuple((name, str(value)) for name, value in tags.items() if value is not None)
