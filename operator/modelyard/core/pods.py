"""Pod specs that Pod Security `restricted` admits: the user's template below, the operator's own settings on top."""

from collections.abc import Iterable
from typing import Any

from modelyard.api.base import PodTemplate
from modelyard.core.context import Context

PodSpec = dict[str, Any]
Container = dict[str, Any]

USER_ID = 65532
"""The user that the release's images run as, and others too where the template does not say another."""

TMP_VOLUME = {"name": "modelyard-tmp", "emptyDir": {}}
TMP_MOUNT = {"name": "modelyard-tmp", "mountPath": "/tmp"}  # noqa: S108 - the pod's own
HELPER_RESOURCES = {
    "requests": {"cpu": "10m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}
"""Of init containers that fetch or copy files."""

CREDENTIAL_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
_CA_MOUNT = "/etc/modelyard/ca"

_CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def merged_spec(template: PodTemplate | None, main: Container, helpers: list[Container]) -> PodSpec:
    """A pod spec: the template's, with `main` merged over its container of the same name and `helpers` run first.

    Every container ends up restricted. Fields of the template that cannot be made safe are refused by
    `core.pod_rules` before it comes here.
    """
    spec = dict(template.spec or {}) if template else {}
    others = [c for c in spec.get("containers") or [] if c.get("name") != main["name"]]
    same: Container = next((c for c in spec.get("containers") or [] if c.get("name") == main["name"]), {})
    security = spec["securityContext"] = _pod_security(_said(spec.get("securityContext")))
    containers = [_merged(same, main), *others]
    spec["containers"] = [restricted(container, security) for container in containers]
    initial = _initial(helpers, spec.get("initContainers") or [])
    if initial:
        spec["initContainers"] = [restricted(container, security) for container in initial]
    spec["volumes"] = _by_name([*(spec.get("volumes") or []), TMP_VOLUME])
    if not spec.get("serviceAccountName"):
        spec["automountServiceAccountToken"] = False
    spec.setdefault("enableServiceLinks", False)
    return spec


def restricted(container: Container, pod_security: dict[str, Any]) -> Container:
    """The container with what `restricted` asks for, /tmp to write to and a read-only root unless it says otherwise.

    The pod's user and group are said again: Seldon's chart can replace the pod's security context by one of its own.
    """
    given = _said(container.get("securityContext"))
    inherited = {name: pod_security[name] for name in ("runAsUser", "runAsGroup")}
    security = {"readOnlyRootFilesystem": True} | inherited | given | _CONTAINER_SECURITY
    mounts = container.get("volumeMounts") or []
    if not any(mount.get("mountPath") == TMP_MOUNT["mountPath"] for mount in mounts):
        mounts = [*mounts, TMP_MOUNT]
    return container | {"securityContext": security, "volumeMounts": mounts}


def tracking_environment(context: Context, namespace: str) -> list[dict[str, Any]]:
    """Variables with which a container reaches MLflow; credentials by reference to the namespace's own Secret."""
    workspace = context.workspaces.of(namespace)
    variables: list[dict[str, Any]] = [
        {"name": "MLFLOW_TRACKING_URI", "value": context.tracking_uri},
        {"name": "MLFLOW_DISABLE_TELEMETRY", "value": "true"},
    ]
    if workspace:
        variables.append({"name": "MLFLOW_WORKSPACE", "value": workspace})
    if context.credentials_secret:
        variables += [
            {
                "name": name,
                "valueFrom": {"secretKeyRef": {"name": context.credentials_secret, "key": name, "optional": True}},
            }
            for name in CREDENTIAL_VARIABLES
        ]
    if context.ca_config_map:
        variables.append({"name": "MLFLOW_TRACKING_SERVER_CERT_PATH", "value": f"{_CA_MOUNT}/ca.crt"})
    return variables


def ca_mounts(context: Context) -> list[dict[str, Any]]:
    """Mounts for a container that talks to an MLflow behind a private authority."""
    return [{"name": "modelyard-ca", "mountPath": _CA_MOUNT, "readOnly": True}] if context.ca_config_map else []


def ca_volumes(context: Context) -> list[dict[str, Any]]:
    """The volume of `ca_mounts`."""
    return [{"name": "modelyard-ca", "configMap": {"name": context.ca_config_map}}] if context.ca_config_map else []


def without_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are set."""
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _initial(helpers: list[Container], given: list[Container]) -> list[Container]:
    """The init containers: the operator's, each over the template's of the same name, then the others."""
    below = {container.get("name"): container for container in given}
    own = {helper["name"] for helper in helpers}
    others = [container for container in given if container.get("name") not in own]
    return [*(_merged(below.get(helper["name"], {}), helper) for helper in helpers), *others]


def _merged(below: Container, above: Container) -> Container:
    """One container from two: fields of `above` win; env, mounts and ports of both are kept, by name or path."""
    merged = below | above
    for field, identity in (("env", "name"), ("volumeMounts", "mountPath"), ("ports", "name")):
        both = [*(below.get(field) or []), *(above.get(field) or [])]
        if both:
            merged[field] = _by_name(both, identity)
    return merged


def _by_name(items: Iterable[dict[str, Any]], identity: str = "name") -> list[dict[str, Any]]:
    """The items, of several with the same name only the last; those without a name all."""
    return list({item.get(identity, number): item for number, item in enumerate(items)}.values())


def _said(context: dict[str, Any] | None) -> dict[str, Any]:
    """A security context without nulls: with no user a kubelet refuses every image that would run as root."""
    return {name: value for name, value in (context or {}).items() if value is not None}


def _pod_security(given: dict[str, Any]) -> dict[str, Any]:
    """The pod's security context: the template's user and group where it names them, never root."""
    defaults = {
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    return defaults | given | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
