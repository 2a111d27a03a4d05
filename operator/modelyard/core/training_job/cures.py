"""Which field of spec a cluster's complaint is about, and what to do: Kubernetes speaks of pods that nobody wrote.

The sentences that are looked for are those of Kubernetes 1.30 to 1.37; any other is passed on as it is.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.pod_state import Trouble
from modelyard.core.training_job import checkpoint, prepare
from modelyard.core.training_job.outcome import TRAINER

_POD = "spec.podTemplate.spec"
_REFERENCES = {
    "configMap": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
    "secret": ("Secret", "secretName"),
    "secretKeyRef": ("Secret", "name"),
    "secretRef": ("Secret", "name"),
}
"""Fields that name an object of the same namespace: its kind, and where below the field its name is."""
_NAMED = {
    "PriorityClass": (re.compile(r"no PriorityClass with name (\S+) was found"), "priorityClassName"),
    "ServiceAccount": (re.compile(r'serviceaccount "([^"]+)" not found'), "serviceAccountName"),
    "RuntimeClass": (re.compile(r'RuntimeClass "([^"]+)" not found'), "runtimeClassName"),
}
_MISSING = re.compile(r'\b(configmap|secret|persistentvolumeclaim) "([^"]+)" not found', re.IGNORECASE)
_NO_KEY = re.compile(r"couldn't find key (\S+) in (ConfigMap|Secret) [^/\s]+/(\S+)")
_KINDS = {kind.lower(): kind for kind, _ in _REFERENCES.values()}
_OF_CONTAINER = re.compile(r"container (\S+): (.*)", re.DOTALL)
_INSUFFICIENT = re.compile(r"Insufficient ([A-Za-z0-9./-]+?)[.,;]?(?:\s|$)")
_PLACEMENT = (
    ("didn't match Pod's node affinity/selector", "nodeSelector or affinity: no node is of that kind"),
    ("untolerated taint", "tolerations: the nodes that are free have taints that the pod does not tolerate"),
    ("didn't match pod topology spread constraints", "topologySpreadConstraints: no node fits"),
    ("didn't match pod anti-affinity rules", "affinity: no node is free of the pods to be kept away from"),
    ("didn't match pod affinity rules", "affinity: no node has the pods to be near to"),
)


def told(spec: TrainingJobSpec, trouble: Trouble) -> str:
    """What is said of an attempt that does not start: the field, its value and the cure where they can be known."""
    found = (rule(spec, trouble.message) for rule in _RULES)
    return checkpoint.why_unschedulable(spec.checkpoint, trouble) or next(filter(None, found), trouble.message)


def in_fields(spec: TrainingJobSpec, message: str) -> str:
    """What the API server said of a Job, with the fields that it was made of in place of the Job's."""
    text = re.sub(r'^Job\.batch "[^"]*" is invalid: ', "", message)
    text = text.replace("spec.template.spec.containers[0]", "spec.trainer")
    if spec.prepare:
        before = sum(1 for helper in (spec.source, spec.mlproject) if helper)
        text = text.replace(f"spec.template.spec.initContainers[{before}]", "spec.prepare")
    return text.replace("spec.template.", "spec.podTemplate.")


def references(spec: TrainingJobSpec) -> Iterator[tuple[str, str, str]]:
    """Objects of the namespace that spec names: the field, the kind and the name."""
    yield from _references("spec", spec.model_dump(by_alias=True, exclude_none=True))


def _references(path: str, value: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("name") if isinstance(item, dict) else None
            yield from _references(f"{path}[{name or number}]", item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        kind, field = _REFERENCES.get(key, ("", ""))
        if kind and isinstance(item, dict) and isinstance(item.get(field), str):
            yield f"{path}.{key}.{field}", kind, item[field]
        else:
            yield from _references(f"{path}.{key}", item)


def _missing_object(spec: TrainingJobSpec, message: str) -> str | None:
    """A ConfigMap, Secret or claim that is not there."""
    if not (found := _MISSING.search(message)):
        return None
    kind, name = _KINDS[found[1].lower()], found[2]
    field = next((path for path, *named in references(spec) if named == [kind, name]), None)
    return f"{field}: there is no {kind} {name} in this namespace: create it, or correct the name" if field else None


def _missing_key(spec: TrainingJobSpec, message: str) -> str | None:
    """A key that its ConfigMap or Secret does not have."""
    if not (found := _NO_KEY.search(message)):
        return None
    key, kind, name = found[1], found[2], found[3]
    paths = [path.rpartition(".")[0] for path, *named in references(spec) if named == [kind, name]]
    field = next((path for path in paths if path.endswith("KeyRef")), None)
    return f"{field}: {kind} {name} has no key {key}: add it, or correct the key" if field else None


def _missing_of_the_cluster(spec: TrainingJobSpec, message: str) -> str | None:
    """A class or an account that the pod template names, or the administrator's settings do."""
    for kind, (words, field) in _NAMED.items():
        if found := words.search(message):
            name, is_users = found[1], _template(spec).get(field) == found[1]
            path = f"{_POD}.{field}" if is_users else f"the chart's pods.trainingJobs.{field}"
            return f"{path}: there is no {kind} {name}: create it, or correct the name"
    return None


def _limit_range(spec: TrainingJobSpec, message: str) -> str | None:  # noqa: ARG001 - a rule like the others
    """More, or less, than a LimitRange of the namespace allows."""
    if not re.search(r"(maximum|minimum) \S+ usage per (Container|Pod) is|max limit to request ratio", message):
        return None
    return f"spec.trainer.resources (or those of another container): a LimitRange of this namespace says: {message}"


def _insufficient(spec: TrainingJobSpec, message: str) -> str | None:
    """More of a resource than any node has free."""
    lacking = sorted(set(_INSUFFICIENT.findall(message)))
    if not lacking:
        return None
    fields = ", ".join(dict.fromkeys(_asked(spec, resource) for resource in lacking))
    return f"{fields}: no node has so much {' and '.join(lacking)} free: ask for less, or add nodes ({message})"


def _asked(spec: TrainingJobSpec, resource: str) -> str:
    """The field that asks for a resource, with what it asks for."""
    own = spec.trainer.resources
    for field, amounts in (("requests", own and own.requests), ("limits", own and own.limits)):
        if amounts and resource in amounts:
            return f"spec.trainer.resources.{field}.{resource} ({amounts[resource]})"
    return f"spec.trainer.resources (or those of another container of {_POD})"


def _placement(spec: TrainingJobSpec, message: str) -> str | None:  # noqa: ARG001 - a rule like the others
    """Wishes for a node that no node fulfils."""
    said = next((cure for words, cure in _PLACEMENT if words in message), None)
    return f"{_POD}.{said}: correct it, or add nodes ({message})" if said else None


def _of_container(spec: TrainingJobSpec, message: str) -> str | None:
    """What one container cannot do, by the field that describes that container."""
    found = _OF_CONTAINER.fullmatch(message)
    if not found:
        return None
    name, said = found[1], found[2]
    own = {TRAINER: "spec.trainer"} | ({prepare.NAME: "spec.prepare"} if spec.prepare else {})
    path = own.get(name) or next(
        (
            f"{_POD}.{field}[{name}]"
            for field in ("containers", "initContainers")
            for item in _template(spec).get(field) or []
            if isinstance(item, dict) and item.get("name") == name
        ),
        None,
    )
    return f"{path}{'.image' if said.startswith('image ') else ''}: {said}" if path else None


def _template(spec: TrainingJobSpec) -> dict[str, Any]:
    return (spec.pod_template.spec if spec.pod_template else None) or {}


_RULES: tuple[Callable[[TrainingJobSpec, str], str | None], ...] = (
    _missing_object,
    _missing_key,
    _missing_of_the_cluster,
    _limit_range,
    _insufficient,
    _placement,
    _of_container,
)
