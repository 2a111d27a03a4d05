"""What a user's pod template may not say: what Pod Security `restricted` refuses, and what the operator sets itself."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelyard.api import names
from modelyard.api.base import PodTemplate, is_reserved_variable

_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_OWN_FIELDS = ("restartPolicy", "ephemeralContainers", "nodeName", "activeDeadlineSeconds", "priority")
_OWN_METADATA = (f"{names.GROUP}/", "batch.kubernetes.io/", "job-name", "controller-uid")
"""How labels and annotations begin that tell the operator and the Job controller which pods are theirs."""
_SECURITY_METADATA = ("container.apparmor.security.beta.kubernetes.io/", "seccomp.security.alpha.kubernetes.io/")
"""Old annotations that undo what a security context says."""
_SYSTEM_PRIORITY = "system-"
"""How priority classes begin that are for the cluster's own pods."""
_IDENTITY_SOURCES = ("serviceAccountToken", "podCertificate")
"""Sources of a projected volume that speak for the pod's service account."""
_PROBES = {
    "livenessProbe": (),
    "readinessProbe": (),
    "startupProbe": (),
    "lifecycle": ("postStart", "preStop"),
}
"""What the kubelet calls, each with where its handlers lie."""
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


def problems_of(template: PodTemplate | None, main: str) -> list[str]:
    """Every reason to refuse the template, each naming its field and the cure; none when it is fine.

    `main` is the name of the operator's own container, over whose namesake in the template it is merged.
    """
    if template is None:
        return []
    spec = template.spec or {}
    found = [*_metadata_problems(template), *_shape_problems(spec)]
    if found:
        return found
    found += [*_spec_problems(spec), *_name_problems(spec, main)]
    for path, container in _containers(spec):
        found += _container_problems(path, container)
        found += mount_problems(f"{path}.volumeMounts", container.get("volumeMounts"))
    return found


def mount_problems(path: str, mounts: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """Two volumes in one folder: the API server refuses them in a pod, and only one is left where pods are merged."""
    folders = Counter(str(mount.get("mountPath", "")) for mount in mounts or [])
    for folder, count in folders.items():
        if folder and count > 1:
            yield f"{path}: {count} volumes are mounted at {folder}; choose another mountPath for all but one"


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


def _name_problems(spec: dict[str, Any], main: str) -> Iterator[str]:
    """Containers of one name: only the last would be left, or none made."""
    taken = {main} - {container.get("name") for container in spec.get("containers") or []}
    for path, container in _containers(spec):
        name = container.get("name", "")
        if name in taken:
            yield f"{path}: another container has this name; rename it"
        taken.add(name)


def _metadata_problems(template: PodTemplate) -> Iterator[str]:
    """Labels and annotations that are the operator's."""
    metadata = template.metadata
    for field in ("labels", "annotations"):
        for name in (getattr(metadata, field, None) or {}) if metadata else {}:
            if name.startswith(_OWN_METADATA):
                yield f"spec.podTemplate.metadata.{field}: {name} is set by the operator; remove it"
            if name.startswith(_SECURITY_METADATA):
                yield f"spec.podTemplate.metadata.{field}: {name} is not allowed (Pod Security restricted); remove it"


def _spec_problems(spec: dict[str, Any]) -> Iterator[str]:
    """Fields of the pod itself."""
    for field in _HOST_FIELDS:
        if spec.get(field):
            yield f"spec.podTemplate.spec.{field} is not allowed (Pod Security restricted); remove it"
    for field in _OWN_FIELDS:
        if spec.get(field):
            yield f"spec.podTemplate.spec.{field} is set by the operator; remove it"
    yield from _account_problems(spec)
    if _fields(spec.get("os")).get("name", "linux") != "linux":
        yield "spec.podTemplate.spec.os: only linux is supported; remove it"
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


def _account_problems(spec: dict[str, Any]) -> Iterator[str]:
    """For whom a pod may speak, and before whom it may come."""
    if spec.get("serviceAccount"):
        yield "spec.podTemplate.spec.serviceAccount is not allowed; use spec.podTemplate.spec.serviceAccountName"
    if str(spec.get("priorityClassName") or "").startswith(_SYSTEM_PRIORITY):
        yield (
            f"spec.podTemplate.spec.priorityClassName: {spec['priorityClassName']} is for the cluster's own pods; "
            "remove it, or name another class"
        )
    if spec.get("serviceAccountName"):
        return
    for volume in spec.get("volumes") or []:
        for source in _objects(_fields(volume.get("projected")).get("sources")):
            for kind in (kind for kind in _IDENTITY_SOURCES if source.get(kind)):
                yield (
                    f"spec.podTemplate.spec.volumes[{volume.get('name', '?')}].projected: {kind} is given only to pods "
                    "that name their account; set spec.podTemplate.spec.serviceAccountName, or remove it"
                )


def _container_problems(path: str, container: dict[str, Any]) -> Iterator[str]:
    """Fields of one container."""
    if container.get("name", "").startswith(_OWN_PREFIX):
        yield f"{path}: modelyard-… is a name of the operator's; rename it"
    yield from _security_problems(f"{path}.securityContext", container.get("securityContext") or {})
    if container.get("restartPolicyRules") or (".containers[" in path and container.get("restartPolicy")):
        yield f"{path}: restartPolicy and restartPolicyRules are set by the operator; remove them"
    yield from _probe_problems(path, container)
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{path}.ports: hostPort is not allowed (Pod Security restricted); use a Service"
    for variable in container.get("env") or []:
        if is_reserved_variable(variable.get("name", "")):
            yield f"{path}.env: {variable['name']} is set by the operator; remove it"


def _probe_problems(path: str, container: dict[str, Any]) -> Iterator[str]:
    """Calls that the kubelet would make to other hosts than the pod."""
    for field, inner in _PROBES.items():
        holder = _fields(container.get(field))
        for handler in [_fields(holder.get(name)) for name in inner] or [holder]:
            if any(_fields(handler.get(action)).get("host") for action in ("httpGet", "tcpSocket")):
                yield f"{path}.{field}: host is not allowed (Pod Security restricted); remove it"


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The object that should be here; an empty one in place of anything else, which the API server refuses."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The objects of the list that should be here."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _security_problems(path: str, context: dict[str, Any]) -> Iterator[str]:
    """A security context that asks for more than `restricted` gives."""
    for field in ("privileged", "allowPrivilegeEscalation"):
        if context.get(field):
            yield f"{path}.{field} is not allowed (Pod Security restricted); remove it"
    if (context.get("capabilities") or {}).get("add"):
        yield f"{path}.capabilities.add is not allowed (Pod Security restricted); remove it"
    if context.get("runAsUser") == 0:
        yield f"{path}.runAsUser: 0 is root, which is not allowed (Pod Security restricted); use a number above 0"
    if context.get("runAsNonRoot") is False:
        yield f"{path}.runAsNonRoot: false is not allowed (Pod Security restricted); remove it"
    if context.get("procMount") not in (None, "Default"):
        yield f"{path}.procMount is not allowed (Pod Security restricted); remove it"
    if _fields(context.get("seccompProfile")).get("type", "RuntimeDefault") != "RuntimeDefault":
        yield f"{path}.seccompProfile: every container gets RuntimeDefault; remove it"
    for field in ("sysctls", "windowsOptions", "seLinuxOptions", "appArmorProfile"):
        if context.get(field):
            yield f"{path}.{field} is not allowed; remove it"
