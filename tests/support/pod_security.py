"""What Pod Security `restricted` refuses, read from its documentation, not from our code."""

from collections.abc import Iterator
from typing import Any

_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "name",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
    }
)
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_RELAXED = frozenset({"runAsNonRoot", "runAsUser", "procMount"})
"""What is allowed to a pod in a user namespace of its own."""
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(pod: dict[str, Any], annotations: dict[str, str] | None = None) -> list[str]:
    """Every reason to refuse a pod with this spec and these annotations."""
    outer = pod.get("securityContext") or {}
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    found += [str(volume) for volume in pod.get("volumes") or [] if set(volume) - _VOLUMES]
    found += [item["name"] for item in outer.get("sysctls") or [] if item["name"] not in _SYSCTLS]
    found += [f"pod: {breach}" for breach in _of_any(outer)]
    found += [
        name
        for name, value in (annotations or {}).items()
        if name.startswith(_APPARMOR) and value != "runtime/default" and not value.startswith("localhost/")
    ]
    for container in [*(pod.get("initContainers") or []), *pod["containers"]]:
        relaxed = _RELAXED if pod.get("hostUsers") is False else frozenset()
        breaches = set(_of_container(container, outer)) - relaxed
        found += [f"{container['name']}: {breach}" for breach in sorted(breaches)]
    return found


def _of_container(container: dict[str, Any], outer: dict[str, Any]) -> Iterator[str]:
    inner = container.get("securityContext") or {}
    effective = outer | inner
    capabilities = inner.get("capabilities") or {}
    rules = {
        "privileged": inner.get("privileged") in (None, False),
        "allowPrivilegeEscalation": inner.get("allowPrivilegeEscalation") is False,
        "capabilities.drop": "ALL" in (capabilities.get("drop") or []),
        "capabilities.add": set(capabilities.get("add") or []) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot": effective.get("runAsNonRoot") is True,
        "runAsUser": inner.get("runAsUser") != 0 and outer.get("runAsUser") != 0,
        "seccompProfile": (effective.get("seccompProfile") or {}).get("type") in {"RuntimeDefault", "Localhost"},
        "procMount": inner.get("procMount") in (None, "Default"),
        "hostPort": not any(port.get("hostPort") for port in container.get("ports") or []),
        "host": not any(_hosts(container)),
    }
    yield from (name for name, holds in rules.items() if not holds)
    yield from _of_any(inner)


def _of_any(context: dict[str, Any]) -> Iterator[str]:
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "seLinuxOptions"
    if (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") == "Unconfined":
        yield "appArmorProfile"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "windowsOptions.hostProcess"


def _hosts(container: dict[str, Any]) -> Iterator[str]:
    """Hosts that the kubelet would call for it."""
    hooks = container.get("lifecycle") or {}
    holders = [container.get(field) or {} for field in ("livenessProbe", "readinessProbe", "startupProbe")]
    for holder in [*holders, *(hooks.get(hook) or {} for hook in ("postStart", "preStop"))]:
        for action in ("httpGet", "tcpSocket"):
            yield (holder.get(action) or {}).get("host", "")
