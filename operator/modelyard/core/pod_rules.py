"""What a user's pod template may not say: what Pod Security `restricted` refuses, and what the operator sets itself."""

from collections.abc import Iterator
from typing import Any

from modelyard.api import names
from modelyard.api.base import PodTemplate, is_reserved_variable

_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_OWN_FIELDS = ("restartPolicy", "ephemeralContainers", "nodeName", "activeDeadlineSeconds")
_VOLUME_TYPES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
"""The volume types that `restricted` allows."""
_POD_LISTS = {"initContainers": "name", "containers": "name", "volumes": "name"}
"""Lists of objects that are read here, with what tells their items apart."""
_CONTAINER_LISTS = {"env": "name", "ports": "name", "volumeMounts": "mountPath"}
_OWN_PREFIX = "modelyard-"


def problems_of(template: PodTemplate | None) -> list[str]:
    """Every reason to refuse the template, each naming its field and the cure; none when it is fine."""
    if template is None:
        return []
    spec = template.spec or {}
    found = [*_metadata_problems(template), *_shape_problems(spec)]
    if found:
        return found
    found += _spec_problems(spec)
    for path, container in _containers(spec):
        found += _container_problems(path, container)
    return found


def _shape_problems(spec: dict[str, Any]) -> Iterator[str]:
    """Fields of another type than a pod has there: nothing else can be said of such a template."""
    found = list(_misshapen("spec.podTemplate.spec", spec, _POD_LISTS))
    yield from found
    if not found:
        for path, container in _containers(spec):
            yield from _misshapen(path, container, _CONTAINER_LISTS)


def _misshapen(path: str, holder: dict[str, Any], lists: dict[str, str]) -> Iterator[str]:
    """Fields of one pod or container of another type than they have to be."""
    context = holder.get("securityContext") or {}
    if not isinstance(context, dict) or not isinstance(context.get("capabilities") or {}, dict):
        yield f"{path}.securityContext must be an object; see the fields of a core/v1 security context"
    for field, identity in lists.items():
        items = holder.get(field) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            yield f"{path}.{field} must be a list of objects"
        elif not all(isinstance(item.get(identity, ""), str) for item in items):
            yield f"{path}.{field}: every {identity} must be text"


def _containers(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container of the template with its path."""
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or []:
            yield f"spec.podTemplate.spec.{field}[{container.get('name', '?')}]", container


def _metadata_problems(template: PodTemplate) -> Iterator[str]:
    """Labels and annotations that are the operator's."""
    metadata = template.metadata
    for field in ("labels", "annotations"):
        for name in (getattr(metadata, field, None) or {}) if metadata else {}:
            if name.startswith(f"{names.GROUP}/"):
                yield f"spec.podTemplate.metadata.{field}: {name} is set by the operator; remove it"


def _spec_problems(spec: dict[str, Any]) -> Iterator[str]:
    """Fields of the pod itself."""
    for field in _HOST_FIELDS:
        if spec.get(field):
            yield f"spec.podTemplate.spec.{field} is not allowed (Pod Security restricted); remove it"
    for field in _OWN_FIELDS:
        if spec.get(field):
            yield f"spec.podTemplate.spec.{field} is set by the operator; remove it"
    yield from _security_problems("spec.podTemplate.spec.securityContext", spec.get("securityContext") or {})
    for volume in spec.get("volumes") or []:
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUME_TYPES:
            refused = ", ".join(sorted(kinds - _VOLUME_TYPES))
            yield (
                f"spec.podTemplate.spec.volumes[{volume.get('name', '?')}]: {refused} is not allowed "
                "(Pod Security restricted); use a persistentVolumeClaim, configMap, secret or emptyDir"
            )
        if volume.get("name", "").startswith(_OWN_PREFIX):
            yield f"spec.podTemplate.spec.volumes[{volume['name']}]: modelyard-… is a name of the operator's; rename it"


def _container_problems(path: str, container: dict[str, Any]) -> Iterator[str]:
    """Fields of one container."""
    if container.get("name", "").startswith(_OWN_PREFIX):
        yield f"{path}: modelyard-… is a name of the operator's; rename it"
    yield from _security_problems(f"{path}.securityContext", container.get("securityContext") or {})
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{path}.ports: hostPort is not allowed (Pod Security restricted); use a Service"
    for variable in container.get("env") or []:
        if is_reserved_variable(variable.get("name", "")):
            yield f"{path}.env: {variable['name']} is set by the operator; remove it"


def _security_problems(path: str, context: dict[str, Any]) -> Iterator[str]:
    """A security context that asks for more than `restricted` gives."""
    for field in ("privileged", "allowPrivilegeEscalation"):
        if context.get(field):
            yield f"{path}.{field} is not allowed (Pod Security restricted); remove it"
    if (context.get("capabilities") or {}).get("add"):
        yield f"{path}.capabilities.add is not allowed (Pod Security restricted); remove it"
    if context.get("runAsUser") == 0 or context.get("runAsNonRoot") is False:
        yield f"{path}: running as root is not allowed (Pod Security restricted); set runAsUser to a number above 0"
    if context.get("procMount") not in (None, "Default"):
        yield f"{path}.procMount is not allowed (Pod Security restricted); remove it"
    for field in ("sysctls", "windowsOptions", "seLinuxOptions", "appArmorProfile"):
        if context.get(field):
            yield f"{path}.{field} is not allowed; remove it"
