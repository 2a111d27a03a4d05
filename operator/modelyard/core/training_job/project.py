"""MLflow projects: an init container makes the entry point's command, and the trainer's shell runs it.

The command is made where nothing of the user's runs yet, so that parameters which do not fit end the attempt before the
trainer's image is even started.
"""

import re
from collections.abc import Iterable
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import pod_state, pods
from modelyard.core.context import Context
from modelyard.core.plan import Manifest
from modelyard.core.tracking import Pairs
from modelyard.core.training_job import source
from modelyard.core.training_job.parameters import literal

NAME = "modelyard-project"
INVALID = "ProjectInvalid"
"""The MLproject file and the parameters do not fit: a later attempt would find the same."""
_FOLDER = "/modelyard/project"
_FILE = f"{_FOLDER}/command"
_PARAMETER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,249}")
"""What MLflow takes as a parameter's name."""
# A single command takes the shell's place, so that it gets the signals that a container is stopped with.
_SHELL = f'command=$(cat {_FILE}) && exec bash -c "$command"'


def containers(spec: TrainingJobSpec, own_mounts: list[dict[str, Any]], context: Context) -> list[pods.Container]:
    """The init container; it reads the source and the parameters, and writes the command."""
    if not spec.mlproject:
        return []
    told = {
        "--folder": source.folder(spec, source.WORKSPACE),
        "--runs-in": source.working_directory(spec).get("workingDir", source.WORKSPACE),
        "--entry-point": spec.mlproject.entry_point,
        "--parameters": "/etc/modelyard/parameters.json",
        "--to": _FILE,
    }
    container = {
        "name": NAME,
        "image": context.source_image,
        "imagePullPolicy": context.image_pull_policy,
        "args": ["project", *(f"{name}={literal(value)}" for name, value in told.items())],
        "resources": pods.HELPER_RESOURCES,
        "volumeMounts": [*own_mounts, {"name": NAME, "mountPath": _FOLDER}],
    }
    return [container]


def command(spec: TrainingJobSpec) -> dict[str, list[str]]:
    """What the trainer runs."""
    return {"command": ["bash", "-c", literal(_SHELL)]} if spec.mlproject else {}


def mounts(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The trainer's mount of the command."""
    return [{"name": NAME, "mountPath": _FOLDER, "readOnly": True}] if spec.mlproject else []


def volumes(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The volume that the command is in."""
    return [{"name": NAME, "emptyDir": {}}] if spec.mlproject else []


def defaults(spec: TrainingJobSpec, seen: Iterable[Manifest]) -> Pairs:
    """The parameters that have the MLproject file's own values, as the init container of one of the pods told them."""
    if not spec.mlproject:
        return ()
    given = {item.name for item in spec.parameters or []}
    told = next((found for pod in seen if isinstance(found := pod_state.result(pod, NAME).get("defaults"), dict)), {})
    return tuple(
        (name, value)
        for name, value in told.items()
        if name not in given and _PARAMETER.fullmatch(name) and isinstance(value, str)
    )


def tags(spec: TrainingJobSpec) -> tuple[tuple[str, str], ...]:
    """What MLflow's own runner tells a run."""
    if not spec.mlproject:
        return ()
    return (("mlflow.project.entryPoint", spec.mlproject.entry_point), ("mlflow.project.backend", "local"))
