"""What the API server refuses by itself, each with a message that names the field; no operator runs here."""

import pytest

from support.kube import Kube, Manifest, Refused
from support.manifests import model_deployment, training_job

pytestmark = pytest.mark.api

NAMESPACE = "default"


def tj(name: str = "digits", **spec: object) -> Manifest:
    return in_namespace(training_job(name, **spec))


def md(name: str = "digits", **spec: object) -> Manifest:
    return in_namespace(model_deployment(name, **spec))


def in_namespace(manifest: Manifest) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"namespace": NAMESPACE}}


def trainer(**fields: object) -> dict[str, object]:
    return {"trainer": fields}


def limited(policy: dict[str, str]) -> Manifest:
    return tj(**trainer(resources={"limits": {"memory": "1Gi"}}), retry={"onOutOfMemory": policy})


def git(url: str, **fields: object) -> Manifest:
    return tj(source={"git": {"url": url, **fields}})


def env(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "value": "x"} for name in names]


REFUSED: dict[str, tuple[Manifest, str]] = {
    "a trainer is required": (
        {**tj(), "spec": {}},
        "spec.trainer: Required value",
    ),
    "an unknown field of spec": (tj(trainr={}), 'unknown field "spec.trainr"'),
    "an unknown field of the trainer": (tj(**trainer(comand=["x"])), 'unknown field "spec.trainer.comand"'),
    "a name that is too long": (tj("x" * 51), "metadata.name must be at most 50 lower-case letters"),
    "a name with a dot": (tj("digits.v2"), "metadata.name must be at most 50 lower-case letters"),
    "a reserved variable": (
        tj(**trainer(env=env("MLFLOW_RUN_ID"))),
        "spec.trainer.env holds a name that the operator sets itself",
    ),
    "a variable that changes the code": (
        tj(**trainer(env=env("LD_PRELOAD"))),
        "spec.trainer.env holds a name that the operator sets itself",
    ),
    "a reserved prefix": (
        tj(**trainer(env=env("PARAM_C"))),
        "spec.trainer.env holds a name that the operator sets itself",
    ),
    "the same variable twice": (tj(**trainer(env=env("A", "A"))), "spec.trainer.env[1]: Duplicate value"),
    "the same parameter twice": (
        tj(parameters=[{"name": "C", "value": "1"}, {"name": "C", "value": "2"}]),
        "spec.parameters[1]: Duplicate value",
    ),
    "a parameter's name with a dash": (tj(parameters=[{"name": "a-b", "value": "1"}]), "spec.parameters[0].name"),
    "a parameter without a value": (tj(parameters=[{"name": "a"}]), "spec.parameters[0].value: Required value"),
    "a parameter that is too long": (
        tj(parameters=[{"name": "a", "value": "x" * 6001}]),
        "spec.parameters[0].value: Too long",
    ),
    "a NUL in a parameter's value": (
        tj(parameters=[{"name": "a", "value": "x\0y"}]),
        "spec.parameters: a value may not hold the character NUL",
    ),
    "a number as a parameter's value": (tj(parameters=[{"name": "a", "value": 1}]), "spec.parameters[0].value"),
    "a dataset's name with a slash": (
        tj(datasets=[{"name": "a/b", "uri": "s3://a"}]),
        "spec.datasets: a name is made of letters, digits",
    ),
    "the same dataset twice": (
        tj(datasets=[{"name": "a", "uri": "s3://a"}, {"name": "a", "uri": "s3://b"}]),
        "spec.datasets[1]: Duplicate value",
    ),
    "a dataset without a place": (tj(datasets=[{"name": "a"}]), "spec.datasets[0].uri: Required value"),
    "a dataset's place with a space": (
        tj(datasets=[{"name": "a", "uri": "s3://a b"}]),
        "spec.datasets: a uri may not hold spaces or control characters",
    ),
    "a dataset's place with a password": (
        tj(datasets=[{"name": "a", "uri": "https://me:secret@example.com/a"}]),
        "spec.datasets: a uri may not hold a password",
    ),
    "a dataset's digest with a space": (
        tj(datasets=[{"name": "a", "uri": "s3://a", "digest": "a b"}]),
        "spec.datasets[0].digest",
    ),
    "a reserved variable of data preparation": (
        tj(prepare={"env": env("PARAM_C")}),
        "spec.prepare.env holds a name that the operator sets itself",
    ),
    "an unknown field of data preparation": (
        tj(prepare={"volumeMounts": []}),
        'unknown field "spec.prepare.volumeMounts"',
    ),
    "an image of nothing": (tj(**trainer(image="")), "spec.trainer.image"),
    "a relative working directory": (tj(**trainer(workingDir="code")), "spec.trainer.workingDir"),
    "an unknown pull policy": (tj(**trainer(imagePullPolicy="Sometimes")), "spec.trainer.imagePullPolicy"),
    "a negative retry limit": (tj(retry={"limit": -1}), "spec.retry.limit"),
    "a retry limit without end": (tj(retry={"limit": 101}), "spec.retry.limit"),
    "a negative back-off": (tj(retry={"backoff": {"initialSeconds": -1}}), "spec.retry.backoff.initialSeconds"),
    "a back-off of days": (tj(retry={"backoff": {"maxSeconds": 86401}}), "spec.retry.backoff.maxSeconds"),
    "an exit code that no process has": (
        tj(retry={"nonRetryableExitCodes": [0]}),
        "spec.retry.nonRetryableExitCodes[0]",
    ),
    "the same exit code twice": (
        tj(retry={"nonRetryableExitCodes": [2, 2]}),
        "spec.retry.nonRetryableExitCodes[1]: Duplicate value",
    ),
    "more memory than what": (
        tj(retry={"onOutOfMemory": {"maxMemory": "8Gi"}}),
        "spec.retry.onOutOfMemory needs spec.trainer.resources.limits.memory",
    ),
    "more memory without an end": (
        limited({"memoryFactor": "2"}),
        "spec.retry.onOutOfMemory.maxMemory: Required value",
    ),
    "a memory that is none": (limited({"maxMemory": "much"}), "spec.retry.onOutOfMemory.maxMemory"),
    "a factor that changes nothing": (
        limited({"maxMemory": "8Gi", "memoryFactor": "1.0"}),
        "spec.retry.onOutOfMemory.memoryFactor must be more than 1 and at most 10",
    ),
    "a factor that is too much": (
        limited({"maxMemory": "8Gi", "memoryFactor": "10.1"}),
        "spec.retry.onOutOfMemory.memoryFactor must be more than 1 and at most 10",
    ),
    "a factor that is no number": (
        limited({"maxMemory": "8Gi", "memoryFactor": "half"}),
        "spec.retry.onOutOfMemory.memoryFactor",
    ),
    "a deadline of nothing": (tj(activeDeadlineSeconds=0), "spec.activeDeadlineSeconds"),
    "a wait of nothing": (tj(pendingDeadlineSeconds=0), "spec.pendingDeadlineSeconds"),
    "a time to live in the past": (tj(ttlSecondsAfterFinished=-1), "spec.ttlSecondsAfterFinished"),
    "a queue's name in capitals": (tj(queueName="GPUs"), "spec.queueName"),
    "a project without a source": (
        tj(trainer={}, mlproject={}),
        "spec.mlproject needs spec.source: the MLproject file is there",
    ),
    "a project and a command": (
        tj(mlproject={}, source={"configMap": {"name": "a"}}),
        "spec.mlproject runs the command of the MLproject file: remove spec.trainer.command",
    ),
    "an entry point that is an option": (
        tj(trainer={}, mlproject={"entryPoint": "-x"}, source={"configMap": {"name": "a"}}),
        "spec.mlproject.entryPoint",
    ),
    "a source that is none": (tj(source={}), "spec.source needs exactly one of configMap and git"),
    "two sources": (
        tj(source={"configMap": {"name": "a"}, "git": {"url": "https://a/b"}}),
        "spec.source needs exactly one of configMap and git",
    ),
    "a repository on this disk": (
        git("file:///etc"),
        "spec.source.git.url must begin with https://, ssh:// or http://",
    ),
    "a repository by another program": (git("ext::sh -c id"), "spec.source.git.url must begin with https://"),
    "a repository as ssh users write it": (git("git@host:a/b"), "for git@host:path write ssh://git@host/path"),
    "a repository with an option for a host": (
        git("ssh://-oProxyCommand=id/x", secretRef={"name": "key"}),
        "spec.source.git.url must be scheme://host/path",
    ),
    "a repository with a password": (git("https://me:secret@host/a"), "may not hold a password"),
    "a repository with a user": (git("https://me@host/a"), "spec.source.git.url may not hold a user"),
    "a repository with a space": (git("https://host/a b"), "spec.source.git.url must be scheme://host/path"),
    "a secret over http": (
        git("http://host/a", secretRef={"name": "key"}),
        "spec.source.git.secretRef is not sent over http://",
    ),
    "ssh without a key": (git("ssh://git@host/a"), "spec.source.git.secretRef is needed for ssh://"),
    "a revision that is an option": (
        git("https://host/a", revision="--upload-pack=id"),
        "spec.source.git.revision must be a branch, a tag",
    ),
    "a revision that is a range": (
        git("https://host/a", revision="a..b"),
        "spec.source.git.revision must be a branch, a tag",
    ),
    "a path that leads out": (git("https://host/a", path="a/../../b"), "spec.source.git.path must be a folder below"),
    "a path from the root": (git("https://host/a", path="/etc"), "spec.source.git.path must be a folder below"),
    "a path with a line end": (git("https://host/a", path="a\nb"), "spec.source.git.path must be a folder below"),
    "a source that is not known": (tj(source={"svn": {}}), 'unknown field "spec.source.svn"'),
    "no nodes": (tj(nodes=0), "spec.nodes"),
    "more nodes than can be followed": (tj(nodes=257), "spec.nodes"),
    "no processes": (tj(processesPerNode=0), "spec.processesPerNode"),
    "several nodes with nothing to run": (
        tj(nodes=2, trainer={"image": "x"}),
        "spec.nodes above 1 needs spec.trainer.command",
    ),
    "several nodes of a name that is too long": (
        tj("x" * 45, nodes=2),
        "metadata.name may have 44 characters where spec.nodes is above 1",
    ),
    "a checkpoint without a claim": (tj(checkpoint={}), "spec.checkpoint.persistentVolumeClaim: Required value"),
    "a claim without a name": (
        tj(checkpoint={"persistentVolumeClaim": {}}),
        "spec.checkpoint.persistentVolumeClaim.claimName: Required value",
    ),
    "a claim's name that no claim has": (
        tj(checkpoint={"persistentVolumeClaim": {"claimName": "My Claim"}}),
        "spec.checkpoint.persistentVolumeClaim.claimName",
    ),
    "a relative checkpoint path": (
        tj(checkpoint={"persistentVolumeClaim": {"claimName": "c"}, "mountPath": "checkpoint"}),
        "spec.checkpoint.mountPath",
    ),
    "a checkpoint over the code": (
        tj(checkpoint={"persistentVolumeClaim": {"claimName": "c"}, "mountPath": "/workspace"}),
        "spec.checkpoint.mountPath may be none of",
    ),
    "eleven metrics": (tj(tracking={"metrics": [f"m{n}" for n in range(11)]}), "spec.tracking.metrics: Too many"),
    "the same metric twice": (tj(tracking={"metrics": ["a", "a"]}), "spec.tracking.metrics[1]: Duplicate value"),
    "an empty experiment": (tj(tracking={"experiment": ""}), "spec.tracking.experiment"),
    "a tag's name with a newline": (
        tj(tracking={"tags": [{"name": "a\nb", "value": "x"}]}),
        "spec.tracking.tags[0].name",
    ),
    "a model without a name": (tj(model={}), "spec.model.name: Required value"),
    "a model's name with a slash": (tj(model={"name": "a/b"}), "spec.model.name"),
    "a model's name with a colon": (tj(model={"name": "a:b"}), "spec.model.name"),
    "the alias latest": (tj(model={"name": "m", "aliases": ["latest"]}), "an alias may not be 'latest'"),
    "an alias like a version": (tj(model={"name": "m", "aliases": ["v7"]}), "an alias may not be 'latest'"),
    "the same alias twice": (tj(model={"name": "m", "aliases": ["a", "a"]}), "spec.model.aliases[1]: Duplicate value"),
    "an unknown way to register": (tj(model={"name": "m", "register": "Always"}), "spec.model.register"),
    "text for suspend": (tj(suspend="yes"), "spec.suspend"),
    "a model is required": ({**md(), "spec": {}}, "spec.model: Required value"),
    "both alias and version": (
        md(model={"name": "m", "alias": "champion", "version": "1"}),
        "spec.model needs exactly one of alias (follow it) and version (stay at it)",
    ),
    "neither alias nor version": (
        md(model={"name": "m"}),
        "spec.model needs exactly one of alias (follow it) and version (stay at it)",
    ),
    "a version that is no number": (md(model={"name": "m", "version": "latest"}), "spec.model.version"),
    "a served alias latest": (md(model={"name": "m", "alias": "latest"}), "an alias may not be 'latest'"),
    "a served model's name with a slash": (md(model={"name": "a/b", "version": "1"}), "spec.model.name"),
    "an unknown backend": (md(backend="Knative"), "spec.backend: Unsupported value"),
    "a serving name that is too long": (md("x" * 41), "metadata.name must be at most 40 lower-case letters"),
    "a serving name that begins with a digit": (md("7digits"), "beginning with a letter"),
    "a reserved variable of the server": (
        md(server={"env": env("MLSERVER_MODEL_URI")}),
        "spec.server.env holds a name that the operator sets itself",
    ),
    "credentials for the server": (
        md(server={"env": env("MLFLOW_TRACKING_TOKEN")}),
        "spec.server.env holds a name that the operator sets itself",
    ),
    "negative replicas": (md(replicas=-1), "spec.replicas"),
    "more replicas than any cluster has": (md(replicas=1001), "spec.replicas"),
    "a deadline of a moment": (md(progressDeadlineSeconds=9), "spec.progressDeadlineSeconds"),
    "an unknown field of the server": (md(server={"comand": []}), 'unknown field "spec.server.comand"'),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_is_refused_with_the_field(kube: Kube, rule: str) -> None:
    manifest, fragment = REFUSED[rule]
    with pytest.raises(Refused) as refusal:
        kube.create_strictly(manifest)
    assert fragment in refusal.value.message
