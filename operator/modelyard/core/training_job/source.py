"""Where the code comes from: the init container that brings it, and the folder that it is brought to."""

import re
from collections.abc import Iterable
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.api.training_source import ConfigMapSource, GitSource
from modelyard.core import pod_state, pods
from modelyard.core.context import Context
from modelyard.core.plan import Manifest
from modelyard.core.training_job.parameters import literal

WORKSPACE = "/workspace"
"""The working directory where spec.source is laid out."""
NAME = "modelyard-source"
"""The init container that brings it, and what it is read from."""
INVALID = "SourceInvalid"
"""The source is not as the spec says: a later attempt would find the same."""
_FROM = "/modelyard/source"
_CREDENTIALS = "/modelyard/credentials"
_CREDENTIALS_VOLUME = "modelyard-credentials"
_WORKSPACE_VOLUME = "modelyard-workspace"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_RESOURCES = {
    "requests": {"cpu": "10m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}
"""git unpacks what it fetches in memory."""


def containers(spec: TrainingJobSpec, context: Context) -> list[pods.Container]:
    """What runs first and brings the source."""
    if not spec.source:
        return []
    if spec.source.git:
        return [_fetched(spec.source.git, context)]
    return [_copied(context)]


def _copied(context: Context) -> pods.Container:
    """Copies a ConfigMap's files, because those are mounted read-only."""
    return {
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


def _fetched(git: GitSource, context: Context) -> pods.Container:
    """Fetches a commit and tells which; the Secret is mounted here and nowhere else."""
    told = {"--url": git.url, "--to": WORKSPACE, "--revision": git.revision, "--path": git.path}
    told["--credentials"] = _CREDENTIALS if git.secret_ref else None
    arguments = [f"{name}={literal(value)}" for name, value in told.items() if value]
    secret = [{"name": _CREDENTIALS_VOLUME, "mountPath": _CREDENTIALS, "readOnly": True}] if git.secret_ref else []
    return {
        "name": NAME,
        "image": context.source_image,
        "imagePullPolicy": context.image_pull_policy,
        "args": ["git", *arguments],
        "resources": _GIT_RESOURCES,
        "volumeMounts": [*secret, {"name": _WORKSPACE_VOLUME, "mountPath": WORKSPACE}],
    }


def mounts(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The mount of the source's files in a container that uses them."""
    return [{"name": _WORKSPACE_VOLUME, "mountPath": _top(spec)}] if spec.source else []


def fetching_mounts() -> list[dict[str, Any]]:
    """The mount of the source's files in a helper that only reads them."""
    return [{"name": _WORKSPACE_VOLUME, "mountPath": WORKSPACE, "readOnly": True}]


def folder(spec: TrainingJobSpec, top: str) -> str:
    """The folder that the code runs in, where the source lies at `top`."""
    path = spec.source.git.path if spec.source and spec.source.git else None
    return f"{top.rstrip('/')}/{path}" if path else top


def working_directory(spec: TrainingJobSpec) -> dict[str, str]:
    """Where a container that uses the source begins: in its folder of the repository, if it names one."""
    return {"workingDir": folder(spec, _top(spec))} if spec.source else {}


def volumes(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The volumes of those mounts."""
    if not spec.source:
        return []
    config_map, git = spec.source.config_map, spec.source.git
    read = [_config_map_volume(config_map)] if config_map else _secret_volumes(git) if git else []
    return [*read, {"name": _WORKSPACE_VOLUME, "emptyDir": {}}]


def at_commit(spec: TrainingJobSpec, commit: str | None) -> TrainingJobSpec:
    """The spec of a further attempt: it runs the commit of the first, wherever the branch went meanwhile."""
    if not commit or not spec.source or not spec.source.git:
        return spec
    git = spec.source.git.model_copy(update={"revision": commit})
    return spec.model_copy(update={"source": spec.source.model_copy(update={"git": git})})


def note_commit(status: dict[str, Any], spec: TrainingJobSpec, seen: Iterable[Manifest], main: str) -> None:
    """Keep the commit that the first attempt runs in status, once its code begins: that is written down anyway."""
    if not spec.source or not spec.source.git:
        return
    begun = (pod for pod in seen if pod_state.is_started(pod, main) or pod_state.is_over(pod))
    known = _commit(status.pop("sourceRevision", None)) or next((c for pod in begun if (c := _told_by(pod))), None)
    if known:
        status["sourceRevision"] = known


def tags(spec: TrainingJobSpec, commit: str | None) -> tuple[tuple[str, str], ...]:
    """What the run is told of the code, under the names that MLflow uses itself."""
    git = spec.source.git if spec.source else None
    if git is None:
        return ()
    told = {"repoURL": git.url, "branch": git.revision, "commit": commit}
    return tuple((f"mlflow.source.git.{name}", value) for name, value in told.items() if value)


def _told_by(pod: Manifest) -> str | None:
    """The commit that a pod's init container fetched."""
    return _commit(pod_state.result(pod, NAME).get("revision"))


def _commit(value: object) -> str | None:
    """The value if it is a commit: status can be edited by people, and a pod says what it likes."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else None


def _top(spec: TrainingJobSpec) -> str:
    """Where the source lies for the containers that use it."""
    return spec.trainer.working_dir or WORKSPACE


def _config_map_volume(config_map: ConfigMapSource) -> dict[str, Any]:
    return {"name": NAME, "configMap": {"name": config_map.name}}


def _secret_volumes(git: GitSource) -> list[dict[str, Any]]:
    if not git.secret_ref:
        return []
    return [{"name": _CREDENTIALS_VOLUME, "secret": {"secretName": git.secret_ref.name, "defaultMode": 0o440}}]
