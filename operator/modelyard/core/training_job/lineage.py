"""Tags on runs and versions that lead back to where they came from and what they were made of."""

import json

from modelyard.api import names
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import metadata
from modelyard.core.tracking import Pairs
from modelyard.core.training_job.draft import Draft, Record


def origin(draft: Draft, number: int) -> Pairs:
    """Which object an attempt is of, and with which parameters it was run; known before it begins."""
    return (
        (names.TAG_NAMESPACE, draft.namespace),
        (names.TAG_TRAINING_JOB, draft.name),
        (names.TAG_JOB, metadata.job_name(draft.resource, number)),
        (names.TAG_PARAMETERS, draft.status["parametersDigest"]),
        *_applied_by(draft),
    )


def _applied_by(draft: Draft) -> Pairs:
    """Who created the object, where the API server tells; elsewhere anybody could have written the annotation."""
    said = (draft.resource["metadata"].get("annotations") or {}).get(names.ANNOTATION_APPLIED_BY)
    return ((names.TAG_APPLIED_BY, str(said)),) if said and draft.context.is_user_recorded else ()


def request(draft: Draft, spec: TrainingJobSpec) -> Pairs:
    """What an attempt asks the cluster for. `spec` holds what it really gets: memory grows from attempt to attempt."""
    image = (names.TAG_IMAGE, spec.trainer.image or draft.context.trainer_image)
    resources = spec.trainer.resources.model_dump(exclude_none=True) if spec.trainer.resources else {}
    return (image, (names.TAG_RESOURCES, json.dumps(resources, sort_keys=True))) if resources else (image,)


def image(record: Record) -> Pairs:
    """The image that really ran, by its digest, as the node told it."""
    return ((names.TAG_IMAGE_ID, record["imageID"]),) if record.get("imageID") else ()


def data(spec: TrainingJobSpec) -> Pairs:
    """The datasets by name, with their digests; runs have them as inputs."""
    digests = {item.name: item.digest for item in spec.datasets or []}
    return ((names.TAG_DATASETS, json.dumps(digests, sort_keys=True)),) if digests else ()
