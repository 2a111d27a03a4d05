"""Every way to write a spec that the schema admits and that cannot work; tests/golden lists what is said of each."""

from typing import Any

from modelyard.core.pod_policy import PodPolicy
from support.escalations import ESCALATIONS, POD, secured, sidecar, volume

Spec = dict[str, Any]

CHOSEN_BY_THE_ADMINISTRATOR = PodPolicy(
    service_accounts=["theirs"], max_resources={"memory": "4Gi", "nvidia.com/gpu": 1}
)


def template(spec: Spec) -> Spec:
    """A spec with this pod template."""
    return {"podTemplate": {"spec": spec}}


def trainer(**fields: Any) -> Spec:
    """A spec with more fields of the trainer."""
    return {"trainer": {"command": ["python", "train.py"]} | fields}


def variable(name: str) -> list[Spec]:
    """An environment of one variable."""
    return [{"name": name, "value": "x"}]


def initial(**fields: Any) -> Spec:
    """A pod with one more init container."""
    return {"initContainers": [{"name": "first", "image": "x"} | fields]}


OF_TEMPLATES: dict[str, Spec] = {
    **{gain: spec for gain, (spec, _) in ESCALATIONS.items()},
    "containers of another type": {"containers": "many"},
    "a container that is none": {"containers": ["x"]},
    "a container's name of another type": {"containers": [{"name": 7}]},
    "volumes of another type": {"volumes": {"data": {}}},
    "environment of another type": sidecar(env={"A": "b"}),
    "mounts of another type": sidecar(volumeMounts="x"),
    "a security context of another type": {"securityContext": ["root"]},
    "two containers of one name": {"containers": [{"name": "side"}, {"name": "side"}]},
    "a container with a name of the operator's": {"containers": [{"name": "modelyard-x"}]},
    "a volume with a name of the operator's": {"volumes": [{"name": "modelyard-x", "emptyDir": {}}]},
    "a restart policy": {"restartPolicy": "Always"},
    "a restart policy of a container": sidecar(restartPolicy="Always"),
    "a deadline of the pod": {"activeDeadlineSeconds": 5},
    "a priority as a number": {"priority": 5},
    "a priority of the cluster's own pods": {"priorityClassName": "system-node-critical"},
    "another user namespace": {"hostUsers": True},
    "Windows": {"os": {"name": "windows"}},
    "a variable that the operator sets": sidecar(env=variable("MLFLOW_RUN_ID")),
    "a probe of another host": sidecar(livenessProbe={"httpGet": {"host": "elsewhere", "port": 80}}),
    "a call of another host at the start": sidecar(lifecycle={"postStart": {"tcpSocket": {"host": "x", "port": 1}}}),
    "another seccomp profile": secured(seccompProfile={"type": "Unconfined"}),
    "an unknown kind of volume": volume(floppy={}),
    "a privileged init container": initial(securityContext={"privileged": True}),
    "an account that the administrator did not name": {"serviceAccountName": "strong"},
    "a sidecar with more than the administrator allows": sidecar(resources={"limits": {"memory": "5Gi"}}),
    "an init container with more than the administrator allows": initial(resources={"requests": {"memory": "5Gi"}}),
    "a quantity that is none": sidecar(resources={"limits": {"memory": "much"}}),
    "devices by claims": {"resourceClaims": [{"name": "gpu"}]},
    "devices by claims of a container": sidecar(resources={"claims": [{"name": "gpu"}]}),
}
OF_METADATA: dict[str, Spec] = {
    "a label of the operator's": {"labels": {"modelyard.io/attempt": "7"}},
    "a label of the Job controller's": {"labels": {"job-name": "x"}},
    "an annotation of the operator's": {"annotations": {"modelyard.io/run-id": "x"}},
    "an old AppArmor annotation": {"annotations": {"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}},
}
_GROWS = {"retry": {"onOutOfMemory": {"maxMemory": "8Gi"}}}
_CLAIM = {"persistentVolumeClaim": {"claimName": "saved"}, "mountPath": "/checkpoint"}
_DATASETS = {"datasets": [{"name": "digits", "uri": "s3://digits"}]}
_NODES = {"nodes": 2}

OF_TRAININGS: dict[str, Spec] = {
    "parameters[] of one variable": {"parameters": [{"name": name, "value": "1"} for name in ("rate", "RATE")]},
    "parameters with more text than a pod carries": {
        "parameters": [{"name": f"p{number}", "value": "x" * 6000} for number in range(22)]
    },
    "trainer.command with an unknown parameter": trainer(command=["python", "$(PARAM_DEPHT)"]),
    "trainer.args with an unknown parameter": trainer(args=["--depth", "$(PARAM_DEPHT)"]),
    "prepare.command with an unknown parameter": {"prepare": {"command": ["$(PARAM_DEPHT)"]}},
    "datasets[] of one variable": {"datasets": [{"name": name, "uri": "s3://a"} for name in ("a-b", "a.b")]},
    "trainer.env with a dataset's variable": trainer(env=variable("DATASET_DIGITS_URI")) | _DATASETS,
    "prepare.env with a dataset's variable": {"prepare": {"env": variable("DATASET_DIGITS_URI")}} | _DATASETS,
    "a container that is called prepare": {"prepare": {}} | template({"containers": [{"name": "prepare"}]}),
    "trainer.volumeMounts over the data": {"prepare": {}}
    | trainer(volumeMounts=[{"name": "mine", "mountPath": "/data"}]),
    "checkpoint.mountPath over the data": {"prepare": {}, "checkpoint": _CLAIM | {"mountPath": "/data"}},
    "checkpoint.mountPath over another volume": {"checkpoint": _CLAIM}
    | trainer(volumeMounts=[{"name": "mine", "mountPath": "/checkpoint"}]),
    "checkpoint.mountPath over the source": {"checkpoint": _CLAIM | {"mountPath": "/code"}}
    | {"source": {"configMap": {"name": "code"}}}
    | trainer(workingDir="/code"),
    "trainer.env with the checkpoint's variable": {"checkpoint": _CLAIM} | trainer(env=variable("CHECKPOINT_DIR")),
    "trainer.env with a variable of several nodes": _NODES | trainer(env=variable("MASTER_ADDR")),
    "podTemplate.spec.hostname with several nodes": _NODES | template({"hostname": "mine"}),
    "podTemplate.spec.subdomain with several nodes": _NODES | template({"subdomain": "mine"}),
    "retry.onOutOfMemory.maxMemory below the first limit": {"retry": {"onOutOfMemory": {"maxMemory": "1Gi"}}}
    | trainer(resources={"limits": {"memory": "2Gi"}}),
    "retry.onOutOfMemory.maxMemory above the administrator's limit": _GROWS
    | trainer(resources={"limits": {"memory": "1Gi"}}),
    "trainer.resources above the administrator's limit": trainer(resources={"limits": {"memory": "5Gi"}}),
    "prepare.resources above the administrator's limit": {
        "prepare": {"resources": {"requests": {"nvidia.com/gpu": 2}}}
    },
}
OF_DEPLOYMENTS: dict[str, Spec] = {
    "server.resources above the administrator's limit": {"server": {"resources": {"requests": {"memory": "5Gi"}}}},
}


def specs_of(kind: str) -> dict[str, Spec]:
    """Every such spec of a kind, by what is wrong with it."""
    own = OF_TRAININGS if kind == "TrainingJob" else OF_DEPLOYMENTS
    return (
        own
        | {f"podTemplate.spec: {why}": template(spec) for why, spec in OF_TEMPLATES.items()}
        | {f"podTemplate.metadata: {why}": {"podTemplate": {"metadata": meta}} for why, meta in OF_METADATA.items()}
    )


__all__ = ["CHOSEN_BY_THE_ADMINISTRATOR", "POD", "specs_of"]
