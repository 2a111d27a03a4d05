"""Data preparation: a container that runs to its end before the trainer begins, and leaves its files in /data."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import clock, pod_state, pods
from modelyard.core.context import Context
from modelyard.core.plan import Manifest
from modelyard.core.training_job import checkpoint

NAME = "prepare"
FOLDER = "/data"
"""What it shares with the trainer."""
FAILED = "PrepareFailed"
_TRAINERS_OWN = ("MLFLOW_RUN_ID", checkpoint.DIRECTORY_VARIABLE)
USERS_VOLUME = "data"
"""A volume of the template with this name lies at /data, in place of an empty one."""
_OWN_VOLUME = "modelyard-data"
_ITS_OWN_ENDS = frozenset({"ConfigError", "Error", "OOMKilled"})
"""What a container does by itself; anything else, the cluster did."""


def containers(
    spec: TrainingJobSpec, environment: list[dict[str, Any]], own_mounts: list[dict[str, Any]], context: Context
) -> list[pods.Container]:
    """The container, told what the trainer is told, but not its run and its checkpoints."""
    if not spec.prepare:
        return []
    given = spec.prepare.model_dump(by_alias=True, exclude_none=True)
    own = {*_TRAINERS_OWN, *(variable["name"] for variable in given.get("env", []))}
    told = [variable for variable in environment if variable["name"] not in own]
    container = given | {
        "name": NAME,
        "image": spec.prepare.image or spec.trainer.image or context.trainer_image,
        "imagePullPolicy": context.image_pull_policy,
        "env": [*given.get("env", []), *told],
        "volumeMounts": [*own_mounts, *mounts(spec)],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    return [container]


def mounts(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The mount of /data."""
    if not spec.prepare:
        return []
    return [{"name": USERS_VOLUME if _has_users_volume(spec) else _OWN_VOLUME, "mountPath": FOLDER}]


def volumes(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The volume of that mount, unless the template brings it."""
    return [{"name": _OWN_VOLUME, "emptyDir": {}}] if spec.prepare and not _has_users_volume(spec) else []


def problems_of(spec: TrainingJobSpec) -> list[str]:
    """Why data preparation cannot work; the template's shape is known to be right."""
    return [*_name_problems(spec), *_mount_problems(spec)] if spec.prepare else []


def is_running(pod: Manifest) -> bool:
    """Whether the data is being prepared."""
    return pod_state.is_running(pod, NAME)


def has_just_ended(pod: Manifest, now: datetime, grace: timedelta) -> bool:
    """Whether the data was prepared a moment ago: the trainer may be about to begin."""
    end = pod_state.terminated(pod, NAME) or {}
    if end.get("exitCode") != 0 or not end.get("finishedAt"):
        return False
    return timedelta(0) <= now - clock.from_text(end["finishedAt"]) < grace


def progress(attempt: int, job: str, namespace: str) -> str:
    """What is said while the data is being prepared."""
    return f"attempt {attempt} prepares its data; its log: kubectl logs -f job/{job} -c {NAME} -n {namespace}"


def failure(pod: Manifest, ending: pod_state.Ending, main: str, job: Manifest) -> tuple[str, str] | None:
    """Reason and message where the pod ended because data preparation failed; None where it ended otherwise."""
    exit_code = (pod_state.terminated(pod, NAME) or {}).get("exitCode")
    if not exit_code or pod_state.is_started(pod, main) or ending.reason not in _ITS_OWN_ENDS:
        return None
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    return FAILED, f"{ending.message}; its log: kubectl logs job/{name} -c {NAME} -n {namespace}"


def _has_users_volume(spec: TrainingJobSpec) -> bool:
    """Whether the template brings the volume."""
    return any(volume.get("name") == USERS_VOLUME for volume in _template(spec).get("volumes") or [])


def _template(spec: TrainingJobSpec) -> dict[str, Any]:
    return (spec.pod_template.spec if spec.pod_template else None) or {}


def _name_problems(spec: TrainingJobSpec) -> Iterator[str]:
    if any(container.get("name") == NAME for container in _template(spec).get("containers") or []):
        yield f"spec.podTemplate.spec.containers[{NAME}]: spec.prepare has this name; rename it"


def _mount_problems(spec: TrainingJobSpec) -> Iterator[str]:
    if spec.checkpoint and spec.checkpoint.mount_path.rstrip("/") == FOLDER:
        yield f"spec.checkpoint.mountPath: {FOLDER} is where spec.prepare leaves its files; choose another path"
    for mount in spec.trainer.volume_mounts or []:
        if str(mount.get("mountPath", "")).rstrip("/") == FOLDER:
            yield (
                f"spec.trainer.volumeMounts: {FOLDER} is where spec.prepare leaves its files; remove the mount and "
                f"name its volume {USERS_VOLUME} in spec.podTemplate.spec.volumes to have it there"
            )
