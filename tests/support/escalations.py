"""Pod templates by which somebody could gain more than a namespace gives everybody, each with the field at fault.

The chart's policy under `Restrict` and the operator without any policy have to refuse every one of them.
"""

from typing import Any

Template = dict[str, Any]
POD = "spec.podTemplate.spec"


def sidecar(**fields: object) -> Template:
    """A template with one more container."""
    return {"containers": [{"name": "side", "image": "x"} | fields]}


def secured(**context: object) -> Template:
    """The same with a security context."""
    return sidecar(securityContext=context)


def volume(**kind: object) -> Template:
    """A template with one volume."""
    return {"volumes": [{"name": "v"} | kind]}


def projected(**source: object) -> Template:
    """A template with a projected volume of one source."""
    return volume(projected={"sources": [source]})


ESCALATIONS: dict[str, tuple[Template, str]] = {
    "the node's network": ({"hostNetwork": True}, f"{POD}.hostNetwork"),
    "the node's processes": ({"hostPID": True}, f"{POD}.hostPID"),
    "the node's shared memory": ({"hostIPC": True}, f"{POD}.hostIPC"),
    "processes of other containers": ({"shareProcessNamespace": True}, f"{POD}.shareProcessNamespace"),
    "a node past the scheduler": ({"nodeName": "control-plane"}, f"{POD}.nodeName"),
    "a container put in later": ({"ephemeralContainers": [{"name": "e"}]}, f"{POD}.ephemeralContainers"),
    "the node's files": (volume(hostPath={"path": "/"}), f"{POD}.volumes[v]"),
    "files of another server": (volume(nfs={"server": "nfs", "path": "/"}), f"{POD}.volumes[v]"),
    "a disk of the cloud": (volume(awsElasticBlockStore={"volumeID": "v"}), f"{POD}.volumes[v]"),
    "the namespace's token": (projected(serviceAccountToken={"path": "token"}), f"{POD}.volumes"),
    "a certificate as the account": (projected(podCertificate={"keyType": "ED25519"}), f"{POD}.volumes"),
    "an account by its old name": ({"serviceAccount": "strong"}, f"{POD}.serviceAccount"),
    "a privileged container": (secured(privileged=True), "securityContext.privileged"),
    "more privileges later": (secured(allowPrivilegeEscalation=True), "securityContext.allowPrivilegeEscalation"),
    "a capability": (secured(capabilities={"add": ["SYS_ADMIN"]}), "securityContext.capabilities.add"),
    "root in a container": (secured(runAsUser=0), "securityContext"),
    "root in the pod": ({"securityContext": {"runAsUser": 0}}, "securityContext"),
    "no promise not to be root": (secured(runAsNonRoot=False), "securityContext"),
    "unmasked /proc": (secured(procMount="Unmasked"), "securityContext.procMount"),
    "kernel settings": ({"securityContext": {"sysctls": [{"name": "a", "value": "b"}]}}, "securityContext.sysctls"),
    "the node's Windows": (
        {"securityContext": {"windowsOptions": {"hostProcess": True}}},
        "securityContext.windowsOptions",
    ),
    "an SELinux type": (secured(seLinuxOptions={"type": "spc_t"}), "securityContext.seLinuxOptions"),
    "no AppArmor": (secured(appArmorProfile={"type": "Unconfined"}), "securityContext.appArmorProfile"),
    "a port of the node": (sidecar(ports=[{"containerPort": 80, "hostPort": 80}]), "hostPort"),
    "the same before the training": (
        {"initContainers": [{"name": "i", "image": "x", "securityContext": {"privileged": True}}]},
        "securityContext.privileged",
    ),
}
"""What it would gain: the template's spec, and what the refusal has to name."""
