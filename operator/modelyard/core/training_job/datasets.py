"""Datasets: inputs of the run in MLflow, and variables in the pod. Nothing here reads what they point at."""

import re
from collections import Counter
from collections.abc import Iterator

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import Dataset
from modelyard.core.training_job.parameters import literal


def inputs(spec: TrainingJobSpec) -> tuple[Dataset, ...]:
    """What the run is told of them."""
    return tuple(Dataset(item.name, item.uri, item.digest) for item in spec.datasets or [])


def variables(spec: TrainingJobSpec) -> dict[str, str]:
    """DATASET_<NAME>_URI and, where there is a digest, DATASET_<NAME>_DIGEST."""
    return {name: literal(value) for name, value in _pairs(spec)}


def problems_of(spec: TrainingJobSpec) -> list[str]:
    """Why the datasets cannot work."""
    return [*_collisions(spec), *_taken(spec)]


def _pairs(spec: TrainingJobSpec) -> Iterator[tuple[str, str]]:
    for item in spec.datasets or []:
        stem = "DATASET_" + re.sub(r"[.-]", "_", item.name.upper())
        yield f"{stem}_URI", item.uri
        if item.digest:
            yield f"{stem}_DIGEST", item.digest


def _collisions(spec: TrainingJobSpec) -> Iterator[str]:
    """Names that become the same variable."""
    for name, count in Counter(name for name, _ in _pairs(spec)).items():
        if count > 1:
            yield (
                f"spec.datasets: several become the variable {name}; give them names that differ in more than case "
                "and punctuation"
            )


def _taken(spec: TrainingJobSpec) -> Iterator[str]:
    """Variables that the user sets too."""
    ours = {name for name, _ in _pairs(spec)}
    for field, container in (("trainer", spec.trainer), ("prepare", spec.prepare)):
        for variable in (container.env if container else None) or []:
            if variable.name in ours:
                yield f"spec.{field}.env: {variable.name} is set from spec.datasets; remove it"
