"""Which field of spec a cluster's complaint is about, and what to do: Kubernetes speaks of pods that nobody wrote.

The sentences that are looked for are those of Kubernetes 1.30 to 1.37; any other is passed on as it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.core import unstarted

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
_NO_FILE = re.compile(r"references non-existent (?:config|secret) key: (\S+)")
_OF_VOLUME = re.compile(r'for volume "([^"]+)"')
_KINDS = {kind.lower(): kind for kind, _ in _REFERENCES.values()}
_OF_CONTAINER = re.compile(r"container (\S+?)(: | ended with )(.*)", re.DOTALL)
_UNBOUND = re.compile(r"PersistentVolumeClaim (\S+) is not bound: ")
_VOLUMES = (
    "unbound immediate PersistentVolumeClaims",
    "didn't find available persistent volumes",
    "didn't match PersistentVolume's node affinity",
    "volume node affinity conflict",
    "did not have enough free storage",
    "bound to non-existent pv",
)
"""What a scheduler says of claims: that one of the pod's has no volume on any node, and not which."""
_INSUFFICIENT = re.compile(r"Insufficient ([A-Za-z0-9./-]+?)[.,;]?(?:\s|$)")
_NO_COMMAND = re.compile(
    r'exec:? "?[^":]*"?: (?:stat [^:]*: )?'
    r"(?:executable file not found in \$PATH|no such file or directory|permission denied|is a directory|"
    r"exec format error)"
)
_AS_ROOT = re.compile(r"container has runAsNonRoot and image ")
_PLACEMENT = (
    ("didn't match Pod's node affinity/selector", "nodeSelector or affinity: no node is of that kind"),
    ("untolerated taint", "tolerations: the nodes that are free have taints that the pod does not tolerate"),
    ("didn't match pod topology spread constraints", "topologySpreadConstraints: no node fits"),
    ("didn't match pod anti-affinity rules", "affinity: no node is free of the pods to be kept away from"),
    ("didn't match pod affinity rules", "affinity: no node has the pods to be near to"),
)


@dataclass(frozen=True)
class Origin:
    """The spec that pods are made of, as a person wrote it."""

    spec: Mapping[str, Any]
    """All of it, under the names that users write."""
    containers: Mapping[str, str]
    """The fields of spec that become containers, by the containers' names; the main one first."""
    settings: str
    """Where the chart's values hold what the administrator decides about such pods."""

    @property
    def template(self) -> Mapping[str, Any]:
        """The pod spec in spec.podTemplate."""
        return (self.spec.get("podTemplate") or {}).get("spec") or {}

    @property
    def main(self) -> str:
        """The field of the main container."""
        return next(iter(self.containers.values()))

    def named_objects(self) -> list[tuple[str, str, str]]:
        """Objects of the namespace that spec names: the field, the kind and the name."""
        return list(_references("spec", self.spec))

    def claims(self) -> list[str]:
        """The PersistentVolumeClaims among them."""
        return [name for _, kind, name in self.named_objects() if kind == "PersistentVolumeClaim"]


def told(origin: Origin, message: str) -> str:
    """What is said of a pod that does not get on: the field, its value and the cure where they can be known."""
    return next(filter(None, (rule(origin, message) for rule in _RULES)), message)


def _references(path: str, value: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("name") if isinstance(item, dict) else None
            yield from _references(f"{path}[{name or number}]", item)
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        kind, field = _REFERENCES.get(key, ("", ""))
        if kind and isinstance(item, dict) and isinstance(item.get(field), str):
            yield f"{path}.{key}.{field}", kind, item[field]
        else:
            yield from _references(f"{path}.{key}", item)


def _missing_object(origin: Origin, message: str) -> str | None:
    """A ConfigMap, Secret or claim that is not there."""
    if not (found := _MISSING.search(message)):
        return None
    kind, name = _KINDS[found[1].lower()], found[2]
    field = next((path for path, *named in origin.named_objects() if named == [kind, name]), None)
    return f"{field}: there is no {kind} {name} in this namespace: create it, or correct the name" if field else None


def _missing_key(origin: Origin, message: str) -> str | None:
    """A key that its ConfigMap or Secret does not have."""
    if not (found := _NO_KEY.search(message)):
        return None
    key, kind, name = found[1], found[2], found[3]
    paths = [path.rpartition(".")[0] for path, *named in origin.named_objects() if named == [kind, name]]
    field = next((path for path in paths if path.endswith("KeyRef")), None)
    return f"{field}: {kind} {name} has no key {key}: add it, or correct the key" if field else None


def _missing_file(origin: Origin, message: str) -> str | None:
    """A key that a volume wants of its ConfigMap or Secret."""
    found, volume = _NO_FILE.search(message), _OF_VOLUME.search(message)
    if not found or not volume:
        return None
    inside = f"{_POD}.volumes[{volume[1]}]."
    where = next((item for item in origin.named_objects() if item[0].startswith(inside)), None)
    if where is None:
        return None
    field, kind, name = where
    return f"{field.rpartition('.')[0]}.items: {kind} {name} has no key {found[1]}: add it, or correct the key"


def _missing_of_the_cluster(origin: Origin, message: str) -> str | None:
    """A class or an account that the pod template names, or the administrator's settings do."""
    for kind, (words, field) in _NAMED.items():
        if found := words.search(message):
            name, is_users = found[1], origin.template.get(field) == found[1]
            path = f"{_POD}.{field}" if is_users else f"the chart's {origin.settings}.{field}"
            return f"{path}: there is no {kind} {name}: create it, or correct the name"
    return None


def _limit_range(origin: Origin, message: str) -> str | None:
    """More, or less, than a LimitRange of the namespace allows."""
    if not re.search(r"(maximum|minimum) \S+ usage per (Container|Pod) is|max limit to request ratio", message):
        return None
    return f"{origin.main}.resources (or those of another container): a LimitRange of this namespace says: {message}"


def _unbound(origin: Origin, message: str) -> str | None:
    """A claim without a volume."""
    if not (found := _UNBOUND.search(message)):
        return None
    field = next(
        (path for path, *named in origin.named_objects() if named == ["PersistentVolumeClaim", found[1]]), None
    )
    return f"{field}: {message}" if field else None


def _no_volume(origin: Origin, message: str) -> str | None:
    """Claims of which one has no volume where the pod could be."""
    fields = [path for path, kind, _ in origin.named_objects() if kind == "PersistentVolumeClaim"]
    if not fields or not any(words in message for words in _VOLUMES):
        return None
    return f"{', '.join(fields)}: no node can have a volume for this claim: make one, or name another claim ({message})"


def _insufficient(origin: Origin, message: str) -> str | None:
    """More of a resource than any node has free."""
    lacking = sorted(set(_INSUFFICIENT.findall(message)))
    if not lacking:
        return None
    fields = ", ".join(dict.fromkeys(_asked(origin, resource) for resource in lacking))
    return f"{fields}: no node has so much {' and '.join(lacking)} free: ask for less, or add nodes ({message})"


def _asked(origin: Origin, resource: str) -> str:
    """The field that asks for a resource, with what it asks for."""
    own = (origin.spec.get(origin.main.removeprefix("spec.")) or {}).get("resources") or {}
    for field in ("requests", "limits"):
        amounts = own.get(field) or {}
        if resource in amounts:
            return f"{origin.main}.resources.{field}.{resource} ({amounts[resource]})"
    return f"{origin.main}.resources (or those of another container of {_POD})"


def _placement(origin: Origin, message: str) -> str | None:  # noqa: ARG001 - a rule like the others
    """Wishes for a node that no node fulfils."""
    said = next((cure for words, cure in _PLACEMENT if words in message), None)
    return f"{_POD}.{said}: correct it, or add nodes ({message})" if said else None


def _no_scheduler(origin: Origin, message: str) -> str | None:
    """A pod that no scheduler has looked at."""
    name = origin.template.get("schedulerName")
    if not name or message != unstarted.not_looked_at(name):
        return None
    return f"{_POD}.schedulerName: {message}: correct the name, remove it, or start that scheduler"


def no_command(said: str) -> str | None:
    """What is said of a command that its image does not have, without how a container is made; None if nothing is."""
    found = _NO_COMMAND.search(said)
    return f"{found[0]}: correct it, or name an image that has it" if found else None


def _of_container(origin: Origin, message: str) -> str | None:
    """What one container cannot do, by the field that describes that container."""
    found = _OF_CONTAINER.fullmatch(message)
    path = _field_of(origin, found[1]) if found else None
    if not found or not path:
        return None
    said = found[3]
    if missing := no_command(said):
        return f"{path}.command: {missing}"
    if found[2] != ": ":
        return None
    if _AS_ROOT.search(said):
        return f"{path}.securityContext.runAsUser: {said}: name a user above 0"
    return f"{path}{'.image' if said.startswith('image ') else ''}: {said}"


def _field_of(origin: Origin, container: str) -> str | None:
    """The field of spec that describes a container; None for one of the operator's helpers."""
    if container in origin.containers:
        return origin.containers[container]
    return next(
        (
            f"{_POD}.{field}[{container}]"
            for field in ("containers", "initContainers")
            for item in origin.template.get(field) or []
            if isinstance(item, dict) and item.get("name") == container
        ),
        None,
    )


_RULES: tuple[Callable[[Origin, str], str | None], ...] = (
    _missing_object,
    _missing_key,
    _missing_file,
    _missing_of_the_cluster,
    _limit_range,
    _unbound,
    _no_volume,
    _insufficient,
    _placement,
    _no_scheduler,
    _of_container,
)
