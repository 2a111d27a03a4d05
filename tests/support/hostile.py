"""Generated pod templates of somebody who tries everything, each of it valid for the API server by itself."""

from typing import Any

from hypothesis import strategies as st

Template = dict[str, Any]

ACCOUNT = "trainer"
"""A service account that has to exist where pods of these templates are made."""

_USERS = st.sampled_from([0, 1, 1000, 65532, 2**31 - 1])
_SECCOMP = st.sampled_from(
    [{"type": "Unconfined"}, {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "profiles/any.json"}]
)
_SELINUX = st.sampled_from([{"type": "spc_t"}, {"type": "container_t"}, {"user": "system_u"}, {"role": "system_r"}, {}])
_APPARMOR = st.sampled_from(
    [{"type": "Unconfined"}, {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "any"}]
)
_CAPABILITIES = st.sampled_from(
    [
        {"add": ["SYS_ADMIN"]},
        {"add": ["NET_BIND_SERVICE"]},
        {"add": ["ALL"], "drop": ["ALL"]},
        {"drop": ["NET_RAW"]},
        {"drop": []},
        {},
    ]
)

CONTAINER_SECURITY = st.fixed_dictionaries(
    {},
    optional={
        "runAsUser": _USERS,
        "runAsGroup": _USERS,
        "runAsNonRoot": st.booleans(),
        "privileged": st.booleans(),
        "allowPrivilegeEscalation": st.booleans(),
        "readOnlyRootFilesystem": st.booleans(),
        "procMount": st.sampled_from(["Default", "Unmasked"]),
        "capabilities": _CAPABILITIES,
        "seccompProfile": _SECCOMP,
        "seLinuxOptions": _SELINUX,
        "appArmorProfile": _APPARMOR,
    },
)
POD_SECURITY = st.fixed_dictionaries(
    {},
    optional={
        "runAsUser": _USERS,
        "runAsGroup": _USERS,
        "runAsNonRoot": st.booleans(),
        "fsGroup": _USERS,
        "supplementalGroups": st.lists(_USERS, max_size=2),
        "seccompProfile": _SECCOMP,
        "seLinuxOptions": _SELINUX,
        "appArmorProfile": _APPARMOR,
        "sysctls": st.sampled_from(
            [[], [{"name": "kernel.shm_rmid_forced", "value": "1"}], [{"name": "kernel.msgmax", "value": "1"}]]
        ),
    },
)
_HOSTS = st.sampled_from([{}, {"host": "127.0.0.1"}, {"host": "10.0.0.1"}, {"host": ""}])
_HANDLERS = st.one_of(
    _HOSTS.map(lambda host: {"httpGet": {"port": 80, "path": "/"} | host}),
    _HOSTS.map(lambda host: {"tcpSocket": {"port": 80} | host}),
    st.just({"exec": {"command": ["true"]}}),
)
_PORTS = st.lists(
    st.integers(1, 60000).flatmap(
        lambda number: st.sampled_from([{"containerPort": number}, {"containerPort": number, "hostPort": number}])
    ),
    max_size=2,
    unique_by=lambda port: port["containerPort"],
)


def _container(name: st.SearchStrategy[str], *, with_probes: bool) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "securityContext": CONTAINER_SECURITY,
        "ports": _PORTS,
        "env": st.sampled_from([[{"name": "A", "value": "b"}], [{"name": "LD_PRELOAD", "value": "x"}]]),
        "volumeMounts": st.just([{"name": "v", "mountPath": "/v"}]),
    }
    if with_probes:
        optional |= {
            "livenessProbe": _HANDLERS,
            "readinessProbe": _HANDLERS,
            "startupProbe": _HANDLERS,
            "lifecycle": _HANDLERS.map(lambda handler: {"preStop": handler}),
            "restartPolicy": st.just("Always"),
        }
    return st.fixed_dictionaries({"name": name, "image": st.just("x:1")}, optional=optional)


_VOLUMES = st.sampled_from(
    [
        {"emptyDir": {}},
        {"emptyDir": {"medium": "Memory"}},
        {"configMap": {"name": "c"}},
        {"secret": {"secretName": "s"}},
        {"persistentVolumeClaim": {"claimName": "p"}},
        {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        {"projected": {"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}]}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
        {"csi": {"driver": "secrets-store.csi.k8s.io"}},
        {"image": {"reference": "x:1"}},
        {"hostPath": {"path": "/"}},
        {"hostPath": {"path": "/var/run/containerd.sock", "type": "Socket"}},
        {"nfs": {"server": "nfs", "path": "/"}},
        {"iscsi": {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}},
        {"fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0}},
        {"rbd": {"monitors": ["10.0.0.1"], "image": "i"}},
        {"cephfs": {"monitors": ["10.0.0.1"]}},
        {"glusterfs": {"endpoints": "e", "path": "/"}},
        {"awsElasticBlockStore": {"volumeID": "v"}},
        {"gcePersistentDisk": {"pdName": "v"}},
        {"azureFile": {"secretName": "s", "shareName": "s"}},
        {"flexVolume": {"driver": "example.com/any"}},
        {"gitRepo": {"repository": "https://example.com/x.git"}},
    ]
)  # fmt: skip
_ANNOTATIONS = st.sampled_from(
    [
        {"container.apparmor.security.beta.kubernetes.io/trainer": "unconfined"},
        {"container.apparmor.security.beta.kubernetes.io/side": "unconfined"},
        {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"},
        {"team": "a"},
    ]
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "hostNetwork": st.booleans(),
    "hostPID": st.booleans(),
    "hostIPC": st.booleans(),
    "hostUsers": st.booleans(),
    "shareProcessNamespace": st.booleans(),
    "securityContext": POD_SECURITY,
    "containers": st.lists(
        _container(st.sampled_from(["trainer", "model", "side"]), with_probes=True),
        min_size=1,
        max_size=2,
        unique_by=lambda container: container["name"],
    ),
    "initContainers": st.lists(
        _container(st.sampled_from(["prepare", "proxy"]), with_probes=False),
        min_size=1,
        max_size=2,
        unique_by=lambda container: container["name"],
    ),
    "serviceAccountName": st.just(ACCOUNT),
    "serviceAccount": st.just(ACCOUNT),
    "automountServiceAccountToken": st.booleans(),
    "priorityClassName": st.sampled_from(["system-node-critical", ""]),
    "nodeSelector": st.just({"a": "b"}),
    "tolerations": st.just([{"operator": "Exists"}]),
    "os": st.sampled_from([{"name": "linux"}, {"name": "windows"}]),
    "terminationGracePeriodSeconds": st.integers(0, 60),
}


@st.composite
def hostile_templates(draw: st.DrawFn) -> Template:
    """A template with one to four of the fields, so that some of them get past the rules."""
    chosen = draw(st.lists(st.sampled_from(sorted(_FIELDS)), min_size=1, max_size=4, unique=True))
    spec = {field: draw(_FIELDS[field]) for field in chosen}
    # Always there, because containers mount it.
    spec["volumes"] = [{"name": "v"} | draw(st.just({"emptyDir": {}}) | _VOLUMES)]
    return {"spec": spec} | ({"metadata": {"annotations": draw(_ANNOTATIONS)}} if draw(st.integers(0, 4)) == 4 else {})
