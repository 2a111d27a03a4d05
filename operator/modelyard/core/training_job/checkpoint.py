"""The volume that outlives attempts: the same claim at the same path in each of them."""

from collections.abc import Iterator
from typing import Any

from modelyard.api.training_inputs import Checkpoint
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.pod_state import Trouble

DIRECTORY_VARIABLE = "CHECKPOINT_DIR"
_VOLUME = "modelyard-checkpoint"
_FIELD = "spec.checkpoint.persistentVolumeClaim.claimName"


def volumes(checkpoint: Checkpoint | None) -> list[dict[str, Any]]:
    """The pod's volume: the claim of the same namespace."""
    if checkpoint is None:
        return []
    claim = {"claimName": checkpoint.persistent_volume_claim.claim_name}
    return [{"name": _VOLUME, "persistentVolumeClaim": claim}]


def mounts(checkpoint: Checkpoint | None) -> list[dict[str, Any]]:
    """The trainer's mount of it."""
    return [{"name": _VOLUME, "mountPath": checkpoint.mount_path}] if checkpoint else []


def variables(checkpoint: Checkpoint | None) -> dict[str, str]:
    """What tells the code where it is."""
    return {DIRECTORY_VARIABLE: checkpoint.mount_path} if checkpoint else {}


def problems_of(spec: TrainingJobSpec) -> Iterator[str]:
    """Settings of the trainer that the checkpoint would silently take the place of."""
    if spec.checkpoint is None:
        return
    if any(variable.name == DIRECTORY_VARIABLE for variable in spec.trainer.env or []):
        yield f"spec.trainer.env: {DIRECTORY_VARIABLE} is set by spec.checkpoint; remove it"
    path = spec.checkpoint.mount_path
    if any(mount.get("mountPath") == path for mount in spec.trainer.volume_mounts or []):
        yield f"spec.checkpoint.mountPath: spec.trainer.volumeMounts has another volume at {path}; choose another path"
    if path == spec.trainer.working_dir and spec.source:
        yield f"spec.checkpoint.mountPath: {path} is where the source is (spec.trainer.workingDir); choose another path"


def why_unschedulable(checkpoint: Checkpoint | None, trouble: Trouble) -> str | None:
    """The field to look at when no node takes a pod because of its claim; None when the claim is not the reason.

    The scheduler says it in words alone, such as 'persistentvolumeclaim "a" not found', "pod has unbound immediate
    PersistentVolumeClaims", "didn't find available persistent volumes to bind" or "volume node affinity conflict".
    """
    if checkpoint is None or trouble.reason != "Unschedulable" or " is not bound: " in trouble.message:
        return None  # of a claim that has no volume it is known which one it is
    said, name = trouble.message.lower(), checkpoint.persistent_volume_claim.claim_name
    if f'persistentvolumeclaim "{name}" not found' in said:
        return f"{_FIELD}: there is no PersistentVolumeClaim {name} in this namespace; create it"
    if any(words in said for words in ("persistentvolume", "persistent volume", "volume node affinity")):
        return f"{_FIELD}: PersistentVolumeClaim {name} cannot be used: {trouble.message}"
    return None
