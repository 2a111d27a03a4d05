"""Dataset inputs of a run, in the form that MLflow's own client gives them."""

import hashlib
import json
import urllib.parse

from mlflow.entities import Dataset as MlflowDataset
from mlflow.entities import DatasetInput, InputTag

from modelyard.adapters.mlflow.connection import Connection
from modelyard.api import names
from modelyard.core.tracking import Dataset

_DIGEST_LENGTH = 36
"""MLflow's limit: a SHA-256 in hexadecimal does not fit and is cut; the tag has it whole."""
_WEB = ("http", "https")


def log_missing(connection: Connection, run_id: str, logged: list[DatasetInput], wanted: tuple[Dataset, ...]) -> None:
    """Adds the datasets that the run does not have yet."""
    known = {(item.dataset.name, item.dataset.digest) for item in logged}
    made = [as_input(dataset) for dataset in wanted]
    missing = [item for item in made if (item.dataset.name, item.dataset.digest) not in known]
    if missing:
        connection.client.log_inputs(run_id, datasets=missing)


def has_others(logged: list[DatasetInput], wanted: tuple[Dataset, ...]) -> bool:
    """Whether the run has datasets that are not wanted; MLflow takes none away."""
    known = {(item.dataset.name, item.dataset.digest) for item in logged}
    return bool(known - {(made.dataset.name, made.dataset.digest) for made in map(as_input, wanted)})


def as_input(dataset: Dataset) -> DatasetInput:
    """One dataset as an input of a run; `mlflow.data.get_source` reads it back."""
    scheme = urllib.parse.urlsplit(dataset.uri).scheme.lower()
    kind = "http" if scheme in _WEB else "local" if scheme in ("", "file") else scheme
    source = json.dumps({"url" if kind == "http" else "uri": dataset.uri})
    digest = _digest(dataset, kind, source)
    tags = [InputTag(names.TAG_DATASET_DIGEST, dataset.digest)] if dataset.digest else []
    return DatasetInput(MlflowDataset(dataset.name, digest, kind, source), tags)


def _digest(dataset: Dataset, kind: str, source: str) -> str:
    """The user's digest without its algorithm; else one of the reference alone, as MLflow makes it for such."""
    if dataset.digest:
        return dataset.digest.rpartition(":")[2][:_DIGEST_LENGTH]
    config = {"name": dataset.name, "source": source, "source_type": kind, "schema": ""}
    return hashlib.sha256(json.dumps(config).encode()).hexdigest()[:8]
