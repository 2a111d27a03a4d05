"""What only a scheduler or a kubelet can know of a spec: what is wrong, what is to be said of it, and what mends it."""

from dataclasses import dataclass, replace
from typing import Any

from support.kube import Manifest
from support.manifests import model_deployment
from support.trainings import code

POD = "spec.podTemplate.spec"
NOTHING = {"command": ["python3", "-c", "pass"]}
NO_IMAGE = "docker.io/modelyard/no-such-image:1"
HERE = "in this namespace: create it, or correct the name"
CORRECT = "create it, or correct the name"
UNIQUE = "modelyard-bad-input"
"""The name of what the table makes beyond its namespace."""


@dataclass(frozen=True)
class Mishap:
    """One thing that is wrong with one object."""

    name: str
    spec: dict[str, Any]
    said: tuple[str, ...]
    """Parts of the message: the field first, the cure last."""
    before: tuple[Manifest, ...] = ()
    """What is there already."""
    mended_by: tuple[Manifest, ...] = ()
    """What is made once it was said."""
    patch: dict[str, Any] | None = None
    """What is changed of spec once it was said."""
    commands: tuple[tuple[str, ...], ...] = ()
    """What kubectl is told once it was said, before anything is made; `{job}` stands for the first attempt's Job."""
    kind: str = "TrainingJob"

    @property
    def is_mended(self) -> bool:
        """Whether it may get on after all; what is fixed after the start may not."""
        return bool(self.mended_by or self.patch or self.commands)

    @property
    def manifest(self) -> Manifest:
        """The object."""
        if self.kind == "ModelDeployment":
            return model_deployment(self.name, {"name": "irises", "alias": "live"}, **self.spec)
        spec = {"trainer": NOTHING, "retry": RETRY} | self.spec
        return {
            "apiVersion": "modelyard.io/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": self.name},
            "spec": spec,
        }


RETRY = {"limit": 1, "backoff": {"initialSeconds": 600, "maxSeconds": 600}}


def trainer(**fields: Any) -> dict[str, Any]:
    """A trainer with these fields."""
    return {"trainer": NOTHING | fields}


def template(**fields: Any) -> dict[str, Any]:
    """A pod template with these fields."""
    return {"podTemplate": {"spec": fields}}


def volume(container: str, **source: Any) -> dict[str, Any]:
    """A template with a volume, mounted: one that no container mounts a kubelet does not look for."""
    mount = {"name": "more", "mountPath": "/more"}
    volumes = [{"name": "more", **source}]
    return template(volumes=volumes, containers=[{"name": container, "volumeMounts": [mount]}])


def variable(kind: str, name: str, key: str = "a") -> dict[str, Any]:
    """An environment variable from an object."""
    return {"env": [{"name": "A", "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key}}}]}


def config_map(name: str, **data: str) -> Manifest:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"} | data}


def secret(name: str, **data: str) -> Manifest:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"b": "1"} | data}


def claim(name: str, class_name: str | None = None) -> Manifest:
    """A claim, of the cluster's own class unless it names another."""
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    named = {"storageClassName": class_name} if class_name else {}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec | named}


def of_cluster(api_version: str, kind: str, **fields: Any) -> Manifest:
    """An object beyond the namespace."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": UNIQUE}, **fields}


def account(name: str) -> Manifest:
    """A service account."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


TRAININGS = (
    Mishap("image", trainer(image=NO_IMAGE), ("spec.trainer.image: ", NO_IMAGE, "correct its name")),
    Mishap("image-name", trainer(image="No Name"), ("spec.trainer.image: image No Name", "correct its name")),
    Mishap(
        "prepare-image",
        {"prepare": NOTHING | {"image": NO_IMAGE}},
        ("spec.prepare.image: ", NO_IMAGE, "correct its name"),
    ),
    Mishap(
        "side-image",
        trainer(command=["sleep", "15"]) | template(containers=[{"name": "side", "image": NO_IMAGE}]),
        ("attempt 1 runs on ", f"{POD}.containers[side].image: ", NO_IMAGE, "correct its name"),
    ),
    Mishap(
        "volume-map",
        volume("trainer", configMap={"name": "late-map"}),
        (f"{POD}.volumes[more].configMap.name: there is no ConfigMap late-map {HERE}",),
        mended_by=(config_map("late-map"),),
    ),
    Mishap(
        "volume-secret",
        volume("trainer", secret={"secretName": "late-secret"}),
        (f"{POD}.volumes[more].secret.secretName: there is no Secret late-secret {HERE}",),
        mended_by=(secret("late-secret"),),
    ),
    Mishap(
        "volume-key",
        volume("trainer", configMap={"name": "poor-map", "items": [{"key": "z", "path": "z"}]}),
        (f"{POD}.volumes[more].configMap.items: ConfigMap poor-map has no key z: add it",),
        before=(config_map("poor-map"),),
        mended_by=(config_map("poor-map", z="1"),),
    ),
    Mishap(
        "volume-claim",
        volume("trainer", persistentVolumeClaim={"claimName": "late-claim"}),
        (f"{POD}.volumes[more].persistentVolumeClaim.claimName: there is no PersistentVolumeClaim late-claim {HERE}",),
        mended_by=(claim("late-claim"),),
    ),
    Mishap(
        "claim-class",
        volume("trainer", persistentVolumeClaim={"claimName": "no-class"}),
        (
            f"{POD}.volumes[more].persistentVolumeClaim.claimName: PersistentVolumeClaim no-class is not bound: ",
            "no-such-class",
            "name a StorageClass that there is",
        ),
        before=(claim("no-class", "no-such-class"),),
        mended_by=(claim("no-class"),),
        commands=(("delete", "pvc", "no-class", "--wait=true", "--timeout=20s"),),
    ),
    Mishap(
        "checkpoint",
        {"checkpoint": {"persistentVolumeClaim": {"claimName": "late-saved"}, "mountPath": "/saved"}},
        ("spec.checkpoint.persistentVolumeClaim.claimName: there is no PersistentVolumeClaim late-saved", "create it"),
        mended_by=(claim("late-saved"),),
    ),
    Mishap(
        "env-map",
        trainer(**variable("configMap", "late-env")),
        (f"spec.trainer.env[A].valueFrom.configMapKeyRef.name: there is no ConfigMap late-env {HERE}",),
        mended_by=(config_map("late-env"),),
    ),
    Mishap(
        "env-key",
        trainer(**variable("secret", "poor-secret")),
        ("spec.trainer.env[A].valueFrom.secretKeyRef: Secret poor-secret has no key a: add it, or correct the key",),
        before=(secret("poor-secret"),),
        mended_by=(secret("poor-secret", a="1"),),
    ),
    Mishap(
        "env-from-map",
        trainer(envFrom=[{"configMapRef": {"name": "late-envs"}}]),
        (f"spec.trainer.envFrom[0].configMapRef.name: there is no ConfigMap late-envs {HERE}",),
        mended_by=(config_map("late-envs"),),
    ),
    Mishap(
        "env-from-secret",
        trainer(envFrom=[{"secretRef": {"name": "late-keys"}}]),
        (f"spec.trainer.envFrom[0].secretRef.name: there is no Secret late-keys {HERE}",),
        mended_by=(secret("late-keys"),),
    ),
    Mishap(
        "source-map",
        {"source": {"configMap": {"name": "late-code"}}, "trainer": {"command": ["python3", "train.py"]}},
        (f"spec.source.configMap.name: there is no ConfigMap late-code {HERE}",),
        mended_by=(code("late-code", "pass"),),
    ),
    Mishap(
        "git-secret",
        {"source": {"git": {"url": "https://git.invalid/digits.git", "secretRef": {"name": "deploy-key"}}}},
        (f"spec.source.git.secretRef.name: there is no Secret deploy-key {HERE}",),
    ),
    Mishap(
        "requests",
        trainer(resources={"requests": {"cpu": "900"}}),
        ("spec.trainer.resources.requests.cpu (900): no node has so much cpu free: ask for less, or add nodes",),
    ),
    Mishap(
        "device",
        trainer(resources={"limits": {"example.com/gpu": 1}}),
        ("spec.trainer.resources.limits.example.com/gpu (1): ", "ask for less, or add nodes"),
    ),
    Mishap(
        "node",
        template(nodeSelector={UNIQUE: "yes"}),
        (f"{POD}.nodeSelector or affinity: no node is of that kind: correct it, or add nodes",),
        commands=(("label", "nodes", "--all", f"{UNIQUE}=yes", "--overwrite"),),
    ),
    Mishap(
        "priority",
        template(priorityClassName=UNIQUE),
        (f"{POD}.priorityClassName: there is no PriorityClass {UNIQUE}: {CORRECT}",),
        mended_by=(of_cluster("scheduling.k8s.io/v1", "PriorityClass", value=7),),
    ),
    Mishap(
        "runtime",
        template(runtimeClassName=UNIQUE),
        (f"{POD}.runtimeClassName: there is no RuntimeClass {UNIQUE}: {CORRECT}",),
        mended_by=(of_cluster("node.k8s.io/v1", "RuntimeClass", handler="runc"),),
    ),
    Mishap(
        "account",
        template(serviceAccountName="late-robot"),
        (f"{POD}.serviceAccountName: there is no ServiceAccount late-robot: {CORRECT}",),
        mended_by=(account("late-robot"),),
    ),
    Mishap(
        "queue",
        {"queueName": "nights"},
        ("attempt 1 waits in queue nights (spec.queueName)",),
        commands=(("patch", "job", "{job}", "--type=merge", "--patch", '{"spec": {"suspend": false}}'),),
    ),
    Mishap(
        "scheduler",
        template(schedulerName="volcano"),
        (f"{POD}.schedulerName: no scheduler called volcano has taken up the pod: correct the name",),
    ),
    Mishap(
        "command",
        {"trainer": {"command": ["no-such-program"]}},
        ('spec.trainer.command: exec: "no-such-program": executable file not found in $PATH: correct it',),
    ),
    Mishap(
        "shells-command",
        {"trainer": {"command": ["sh", "-c", "no-such-program"]}},
        ("spec.trainer.command: exit code 127 is a shell's word for a command that is not there: ", "no-such-program"),
    ),
)
"""Of a TrainingJob."""

SERVER = "model"
_SERVINGS = (
    Mishap(
        "served-image",
        {"server": {"image": NO_IMAGE}},
        ("spec.server.image: ", NO_IMAGE, "correct its name"),
        patch={"server": {"image": None}},
    ),
    Mishap(
        "served-claim",
        volume(SERVER, persistentVolumeClaim={"claimName": "late-cache"}),
        (f"{POD}.volumes[more].persistentVolumeClaim.claimName: there is no PersistentVolumeClaim late-cache {HERE}",),
        mended_by=(claim("late-cache"),),
    ),
    Mishap(
        "served-secret",
        volume(SERVER, secret={"secretName": "late-certs"}),
        (f"{POD}.volumes[more].secret.secretName: there is no Secret late-certs {HERE}",),
        mended_by=(secret("late-certs"),),
    ),
    Mishap(
        "served-env",
        {"server": {"envFrom": [{"configMapRef": {"name": "late-tuning"}}]}},
        (f"spec.server.envFrom[0].configMapRef.name: there is no ConfigMap late-tuning {HERE}",),
        mended_by=(config_map("late-tuning"),),
    ),
    Mishap(
        "served-node",
        template(nodeSelector={f"{UNIQUE}-served": "yes"}),
        (f"{POD}.nodeSelector or affinity: no node is of that kind: correct it, or add nodes",),
        patch={"podTemplate": None},
    ),
    Mishap(
        "served-requests",
        {"server": {"resources": {"requests": {"memory": "900Gi"}}}},
        ("spec.server.resources.requests.memory (900Gi): no node has so much memory free: ask for less, or add nodes",),
        patch={"server": {"resources": None}},
    ),
    Mishap(
        "served-account",
        template(serviceAccountName="late-server"),
        (f"{POD}.serviceAccountName: there is no ServiceAccount late-server: {CORRECT}",),
        mended_by=(account("late-server"),),
    ),
    Mishap(
        "served-scheduler",
        template(schedulerName="volcano"),
        (f"{POD}.schedulerName: no scheduler called volcano has taken up the pod: correct the name",),
        patch={"podTemplate": None},
    ),
)
SERVINGS = tuple(replace(mishap, kind="ModelDeployment") for mishap in _SERVINGS)
"""Of a ModelDeployment."""
