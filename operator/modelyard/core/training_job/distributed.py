"""A training in several pods: one Indexed Job, a Service for the pods' names, and what torchrun wants to be told."""

from collections.abc import Iterable, Iterator
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import metadata
from modelyard.core.plan import Manifest

RENDEZVOUS_PORT = 29500
"""Where the processes find each other: the port that torchrun takes when it is told none."""
_INDEX = "batch.kubernetes.io/job-completion-index"
_INDEX_FIELD = {"valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{_INDEX}']"}}}
_RUN_ON_THE_FIRST_ONLY = '[ "$NODE_RANK" = 0 ] || unset MLFLOW_RUN_ID'
"""All pods of a Job have one and the same template, so the run's id is taken from the others where they start.

Two processes with one run would end it twice and log every metric twice.
"""
_STEPS_TOLD = 4
"""How often the start of many pods is told of: each time costs a write."""
_HOST_FIELDS = ("hostname", "subdomain", "setHostnameAsFQDN")


def is_distributed(spec: TrainingJobSpec) -> bool:
    """Whether the training has several processes that have to find each other."""
    return spec.nodes > 1 or spec.processes_per_node > 1


def job_fields(spec: TrainingJobSpec) -> dict[str, Any]:
    """How many pods the Job has. One that fails fails the Job, and the Job controller stops the others."""
    fields: dict[str, Any] = {"completions": spec.nodes, "parallelism": spec.nodes}
    return fields | ({"completionMode": "Indexed"} if spec.nodes > 1 else {})


def pod_fields(resource: Manifest, spec: TrainingJobSpec) -> dict[str, Any]:
    """What gives each pod a name in the cluster's DNS."""
    return {"subdomain": metadata.nodes_service_name(resource)} if spec.nodes > 1 else {}


def steps(spec: TrainingJobSpec) -> list[str]:
    """What a shell does before the trainer's command; nothing for one pod."""
    return [_RUN_ON_THE_FIRST_ONLY] if spec.nodes > 1 else []


def variables(resource: Manifest, spec: TrainingJobSpec, attempt: int) -> list[dict[str, Any]]:
    """What torchrun reads (PET_…), what scripts read that run without it, and what both have in common."""
    if not is_distributed(spec):
        return []
    nodes, processes = str(spec.nodes), str(spec.processes_per_node)
    address, port = _address(resource, spec, attempt), str(RENDEZVOUS_PORT)
    same = {
        "MASTER_ADDR": address,
        "MASTER_PORT": port,
        "NNODES": nodes,
        "NPROC_PER_NODE": processes,
        "WORLD_SIZE": str(spec.nodes * spec.processes_per_node),
        "PET_MASTER_ADDR": address,
        "PET_MASTER_PORT": port,
        "PET_NNODES": nodes,
        "PET_NPROC_PER_NODE": processes,
    }
    of_the_pod = ["NODE_RANK", "GROUP_RANK", "PET_NODE_RANK"]
    if spec.processes_per_node == 1:
        same["LOCAL_RANK"] = "0"
        of_the_pod.append("RANK")
    rank: dict[str, Any] = _INDEX_FIELD if spec.nodes > 1 else {"value": "0"}
    return [
        *({"name": name, "value": value} for name, value in same.items()),
        *({"name": name, **rank} for name in of_the_pod),
    ]


def _address(resource: Manifest, spec: TrainingJobSpec, attempt: int) -> str:
    """Where the first pod is reached by all of them: by its name in DNS, which it has before it is ready."""
    if spec.nodes == 1:
        return "127.0.0.1"
    return f"{metadata.job_name(resource, attempt)}-0.{metadata.nodes_service_name(resource)}"


def missing_services(resource: Manifest, spec: TrainingJobSpec, found: Iterable[Manifest]) -> list[Manifest]:
    """The Service that gives pods names, unless it is there. All attempts share it: their pods' names differ."""
    name = metadata.nodes_service_name(resource)
    if spec.nodes == 1 or any(service["metadata"]["name"] == name for service in found):
        return []
    service = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": metadata.owner_labels(resource),
        "ports": [{"name": "rendezvous", "port": RENDEZVOUS_PORT}],
    }
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata.child_metadata(resource, name), "spec": service}
    ]


def index_of(pod: Manifest) -> int:
    """The pod's place among those of its Job; 0 for the only one."""
    text = str((pod["metadata"].get("annotations") or {}).get(_INDEX, ""))
    return int(text) if text.isascii() and text.isdigit() else 0


def first(pods: Iterable[Manifest]) -> Manifest | None:
    """The pod of rank 0, or what comes next to it."""
    return min(pods, key=index_of, default=None)


def count(pods: Iterable[Manifest]) -> int:
    """How many of an attempt's pods these are."""
    return len({index_of(pod) for pod in pods})


def how_many_run(started: Iterable[Manifest], nodes: int) -> str:
    """How far the start of several pods has come, in steps; nothing for one."""
    if nodes == 1:
        return ""
    running, step = count(started), -(-nodes // _STEPS_TOLD)
    told = running - running % step
    return f" ({'at least ' if step > 1 else ''}{told} of {nodes} pods run)"


def problems_of(spec: TrainingJobSpec) -> Iterator[str]:
    """Settings of the user's that would keep the processes from finding each other."""
    if not is_distributed(spec):
        return
    own = {item["name"] for item in variables({"metadata": {"name": "", "uid": ""}}, spec, 1)}
    for variable in spec.trainer.env or []:
        if variable.name in own:
            yield f"spec.trainer.env: {variable.name} is set by spec.nodes and spec.processesPerNode; remove it"
    template = (spec.pod_template.spec if spec.pod_template else None) or {}
    for field in _HOST_FIELDS if spec.nodes > 1 else ():
        if template.get(field):
            yield f"spec.podTemplate.spec.{field} is set by the operator where spec.nodes is above 1; remove it"
