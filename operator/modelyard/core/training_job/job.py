"""The Job of one attempt."""

import json
from typing import Any

from modelyard.api import names
from modelyard.api.training_job import Trainer, TrainingJobSpec
from modelyard.core import metadata, pod_policy, pods
from modelyard.core.context import Context
from modelyard.core.plan import Manifest
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import checkpoint, datasets, distributed, launch, parameters, prepare, project, source
from modelyard.core.training_job.outcome import TRAINER

_PARAMETERS_MOUNT = {"name": "modelyard-parameters", "mountPath": "/etc/modelyard", "readOnly": True}


def build_job(
    resource: Manifest, spec: TrainingJobSpec, identity: AttemptIdentity, run: Run, context: Context
) -> Manifest:
    """One attempt's Job: pods that are never restarted, so that an attempt has exactly one end."""
    labels = {names.LABEL_ATTEMPT: str(identity.attempt)}
    body = metadata.child_metadata(resource, metadata.job_name(resource, identity.attempt), labels)
    body["annotations"] = {names.ANNOTATION_EXPERIMENT_ID: run.experiment_id}
    if run.run_id:
        body["annotations"] = {names.ANNOTATION_RUN_ID: run.run_id} | body["annotations"]
    environment = [
        *_home(spec.trainer),
        *pods.tracking_environment(context, body["namespace"]),
        *_environment(spec, identity, run),
        *distributed.variables(resource, spec, identity.attempt),
    ]
    template = _template(spec, body, context, environment)
    template["spec"] |= distributed.pod_fields(resource, spec)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": body,
        "spec": {"backoffLimit": 0, **distributed.job_fields(spec), "template": template},
    }


def run_context(identity: AttemptIdentity) -> str:
    """Tags for runs that the code starts beside the attempt's own, as MLFLOW_RUN_CONTEXT wants them."""
    tags = {
        names.TAG_CLUSTER: identity.cluster,
        names.TAG_OWNER_UID: identity.owner_uid,
        names.TAG_PARENT_ATTEMPT: str(identity.attempt),
    }
    return json.dumps(tags, sort_keys=True)


def _template(
    spec: TrainingJobSpec, job: dict[str, Any], context: Context, environment: list[dict[str, Any]]
) -> dict[str, Any]:
    """The pod template: the user's, with the trainer and what it needs."""
    given = spec.pod_template.metadata if spec.pod_template else None
    pod = pods.merged_spec(
        spec.pod_template,
        _trainer(spec.trainer, spec, environment, context),
        _helpers(spec, environment, context),
    )
    pod["restartPolicy"] = "Never"
    pod["volumes"] = [
        *pod["volumes"],
        *_volumes(spec),
        *checkpoint.volumes(spec.checkpoint),
        *pods.ca_volumes(context),
    ]
    return {
        "metadata": {
            "labels": ((given.labels if given else None) or {}) | job["labels"],
            "annotations": ((given.annotations if given else None) or {})
            | job["annotations"]
            | {names.ANNOTATION_PARAMETERS: parameters.as_json(spec)},
        },
        "spec": pod_policy.enforced(context.training_pods, pod),
    }


def _trainer(
    trainer: Trainer, spec: TrainingJobSpec, environment: list[dict[str, Any]], context: Context
) -> dict[str, Any]:
    """The container that trains."""
    given = trainer.model_dump(by_alias=True, exclude_none=True)
    own_mounts = [
        *_mounts(spec, context),
        *project.mounts(spec),
        *checkpoint.mounts(spec.checkpoint),
        *prepare.mounts(spec),
    ]
    given |= source.working_directory(spec) | project.command(spec)
    if "command" in given:
        given["command"] = launch.command(spec, given["command"])
    return given | {
        "name": TRAINER,
        "image": trainer.image or context.trainer_image,
        "imagePullPolicy": trainer.image_pull_policy or context.image_pull_policy,
        "env": [*given.get("env", []), *environment],
        "volumeMounts": [*given.get("volumeMounts", []), *own_mounts],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _environment(spec: TrainingJobSpec, identity: AttemptIdentity, run: Run) -> list[dict[str, Any]]:
    """What the training needs to know; the run's id, its experiment's and the context belong together."""
    own = {"MLFLOW_RUN_ID": run.run_id} if run.run_id else {}
    own |= {
        "MLFLOW_EXPERIMENT_ID": run.experiment_id,
        "MLFLOW_RUN_CONTEXT": run_context(identity),
        "MODELYARD_ATTEMPT": str(identity.attempt),
    } | checkpoint.variables(spec.checkpoint)
    told = parameters.variables(spec) | datasets.variables(spec) | own
    return [{"name": name, "value": value} for name, value in told.items()]


def _home(trainer: Trainer) -> list[dict[str, Any]]:
    """A home directory, unless the user chose one."""
    is_set = any(variable.name == "HOME" for variable in trainer.env or [])
    return [] if is_set else [{"name": "HOME", "value": "/tmp"}]  # noqa: S108 - the pod's own


def _helpers(spec: TrainingJobSpec, environment: list[dict[str, Any]], context: Context) -> list[pods.Container]:
    """What runs before the trainer, in this order."""
    return [
        *source.containers(spec, context),
        *project.containers(spec, [_PARAMETERS_MOUNT, *source.fetching_mounts()], context),
        *(
            container | source.working_directory(spec)
            for container in prepare.containers(spec, environment, _mounts(spec, context), context)
        ),
    ]


def _mounts(spec: TrainingJobSpec, context: Context) -> list[dict[str, Any]]:
    """The operator's own mounts in the containers that run the user's code."""
    return [_PARAMETERS_MOUNT, *pods.ca_mounts(context), *source.mounts(spec)]


def _volumes(spec: TrainingJobSpec) -> list[dict[str, Any]]:
    """The operator's own volumes."""
    field = {"fieldPath": f"metadata.annotations['{names.ANNOTATION_PARAMETERS}']"}
    item = {"path": "parameters.json", "fieldRef": field}
    parameters_volume = {"name": "modelyard-parameters", "downwardAPI": {"items": [item]}}
    return [parameters_volume, *source.volumes(spec), *project.volumes(spec), *prepare.volumes(spec)]
