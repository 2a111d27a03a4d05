"""Where the code comes from: the init container that brings it, and the folder that it is brought to."""

from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import pods
from modelyard.core.context import Context

WORKSPACE = "/workspace"
"""The working directory where spec.source is laid out."""
NAME = "modelyard-source"
"""The init container that brings it, and what it is read from."""
_FROM = "/modelyard/source"
_WORKSPACE_VOLUME = "modelyard-workspace"


def workspace(spec: TrainingJobSpec) -> str:
    """Where the source lies for the containers that use it."""
    return spec.trainer.working_dir or WORKSPACE


def containers(spec: TrainingJobSpec, context: Context) -> list[pods.Container]:
    """What runs first: the source is copied, because ConfigMaps are mounted read-only."""
    if not spec.source:
        return []
    return [
        {
            "name": NAME,
            "image": context.fetcher_image,
            "imagePullPolicy": context.image_pull_policy,
            "args": ["copy", "--from", _FROM, "--to", WORKSPACE],
            "resources": pods.HELPER_RESOURCES,
            "volumeMounts": [
                {"name": NAME, "mountPath": _FROM, "readOnly": True},
                {"name": _WORKSPACE_VOLUME, "mountPath": WORKSPACE},
            ],
        }
    ]


def mounts(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The mount of the source's files in a container that uses them."""
    return [{"name": _WORKSPACE_VOLUME, "mountPath": workspace(spec)}] if spec.source else []


def working_directory(spec: TrainingJobSpec) -> dict[str, str]:
    """Where a container that uses the source begins."""
    return {"workingDir": workspace(spec)} if spec.source else {}


def volumes(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The volumes of those mounts."""
    if not spec.source:
        return []
    return [
        {"name": NAME, "configMap": {"name": spec.source.config_map.name}},
        {"name": _WORKSPACE_VOLUME, "emptyDir": {}},
    ]
