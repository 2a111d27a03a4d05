"""The chart's admission policies, put in force and asked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from chart.cluster import Cluster
from chart.rendering import Helm
from support import manifests
from support.kube import Kube, Manifest, Refused, path_of

HERE, ELSEWHERE = "team-a", "team-b"
KINDS = {"TrainingJob": manifests.training_job, "ModelDeployment": manifests.model_deployment}
KINDS_OF_POLICIES = [f"{what}AdmissionPolicy{part}" for what in ("Validating", "Mutating") for part in ("", "Binding")]
_WAIT_SECONDS = 30


def make(kind: str, name: str = "under-policy", **spec: object) -> Manifest:
    manifest = KINDS[kind](name, **spec)
    return manifest | {"metadata": {"name": name, "namespace": HERE}}


@contextmanager
def policies(helm: Helm, cluster: Cluster, values: dict[str, Any], folder: Path) -> Iterator[None]:
    """The chart's policies with these values, in force from the start of the block and gone at its end."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    objects = helm.objects("--values", str(file))
    made = [each for each in objects if each["kind"] in KINDS_OF_POLICIES]
    text = yaml.safe_dump_all(made)
    cluster.apply(text)
    try:
        yield
    finally:
        cluster.output("delete", "-f", "-", stdin=text)


def refusal_of(kube: Kube, manifest: Manifest) -> str:
    """What the API server says to creating it; empty when it does."""
    path = path_of(manifest["kind"], manifest["metadata"]["namespace"])
    try:
        kube.send("POST", path, manifest, query={"dryRun": "All"})
    except Refused as refusal:
        return refusal.message
    return ""


def until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited {_WAIT_SECONDS} s for: {what}"
        time.sleep(0.1)
