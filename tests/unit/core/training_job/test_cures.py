"""What Kubernetes says of a pod is said of the field that the pod was made of; the sentences are those of 1.37."""

from typing import Any

import pytest

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.pod_state import Trouble
from modelyard.core.training_job import cures
from modelyard.core.training_job.outcome import Outcome

EVERYTHING: dict[str, Any] = {
    "trainer": {
        "image": "team/none:1",
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}}],
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "resources": {"requests": {"cpu": "900"}, "limits": {"example.com/gpu": 4}},
    },
    "prepare": {"image": "team/none:2"},
    "source": {"git": {"url": "ssh://git@host/x", "secretRef": {"name": "deploy-key"}}},
    "checkpoint": {"persistentVolumeClaim": {"claimName": "saved"}},
    "podTemplate": {
        "spec": {
            "schedulerName": "volcano",
            "priorityClassName": "urgent",
            "serviceAccountName": "robot",
            "runtimeClassName": "gvisor",
            "nodeSelector": {"gpu": "yes"},
            "containers": [{"name": "side", "image": "team/none:3"}],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
                {"name": "certs", "secret": {"secretName": "certs"}},
                {"name": "all", "projected": {"sources": [{"configMap": {"name": "parts"}}]}},
            ],
        }
    },
}
NODES = "0/1 nodes are available: 1 "
NONE_HERE = "in this namespace: create it, or correct the name"
POD = "spec.podTemplate.spec"
RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "nope": executable file not found in $PATH'
)
HAS_IT = "correct it, or name an image that has it"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'MountVolume.SetUp failed for volume "certs" : secret "certs" not found',
            f"{POD}.volumes[certs].secret.secretName: there is no Secret certs {NONE_HERE}",
        ),
        (
            'MountVolume.SetUp failed for volume "all" : configmap "parts" not found',
            f"{POD}.volumes[all].projected.sources[0].configMap.name: there is no ConfigMap parts {NONE_HERE}",
        ),
        (
            'MountVolume.SetUp failed for volume "modelyard-credentials" : secret "deploy-key" not found',
            f"spec.source.git.secretRef.name: there is no Secret deploy-key {NONE_HERE}",
        ),
        (
            NODES + 'persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available',
            f"{POD}.volumes[data].persistentVolumeClaim.claimName: there is no PersistentVolumeClaim data {NONE_HERE}",
        ),
        (
            'container trainer: configmap "settings" not found',
            f"spec.trainer.envFrom[0].configMapRef.name: there is no ConfigMap settings {NONE_HERE}",
        ),
        (
            "container trainer: couldn't find key a in Secret team/keys",
            "spec.trainer.env[A].valueFrom.secretKeyRef: Secret keys has no key a: add it, or correct the key",
        ),
        (
            "no pod can be made: no PriorityClass with name urgent was found",
            f"{POD}.priorityClassName: there is no PriorityClass urgent: create it, or correct the name",
        ),
        (
            "no PriorityClass with name the-admins was found",
            (
                "the chart's pods.trainingJobs.priorityClassName: there is no PriorityClass the-admins: create it, or "
                "correct the name"
            ),
        ),
        (
            'error looking up service account team/robot: serviceaccount "robot" not found',
            f"{POD}.serviceAccountName: there is no ServiceAccount robot: create it, or correct the name",
        ),
        (
            'pod rejected: RuntimeClass "gvisor" not found',
            f"{POD}.runtimeClassName: there is no RuntimeClass gvisor: create it, or correct the name",
        ),
        (
            NODES + "Insufficient cpu, 1 Insufficient example.com/gpu.",
            (
                "spec.trainer.resources.requests.cpu (900), spec.trainer.resources.limits.example.com/gpu (4): no "
                f"node has so much cpu and example.com/gpu free: ask for less, or add nodes ({NODES}Insufficient cpu, "
                "1 Insufficient example.com/gpu.)"
            ),
        ),
        (
            NODES + "Insufficient memory. no new claims to deallocate",
            (
                f"spec.trainer.resources (or those of another container of {POD}): no node has so much memory free: "
                f"ask for less, or add nodes ({NODES}Insufficient memory. no new claims to deallocate)"
            ),
        ),
        (
            NODES + "node(s) didn't match Pod's node affinity/selector.",
            (
                f"{POD}.nodeSelector or affinity: no node is of that kind: correct it, or add nodes ({NODES}node(s) "
                "didn't match Pod's node affinity/selector.)"
            ),
        ),
        (
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
            (
                "spec.trainer.resources (or those of another container): a LimitRange of this namespace says: maximum "
                "memory usage per Container is 1Gi, but limit is 2Gi"
            ),
        ),
        ("container trainer: image x cannot be pulled", "spec.trainer.image: image x cannot be pulled"),
        ("container prepare: image x cannot be pulled", "spec.prepare.image: image x cannot be pulled"),
        ("container side: image x cannot be pulled", f"{POD}.containers[side].image: image x cannot be pulled"),
        (
            'MountVolume.SetUp failed for volume "certs" : references non-existent secret key: tls.crt',
            f"{POD}.volumes[certs].secret.items: Secret certs has no key tls.crt: add it, or correct the key",
        ),
        (
            'PersistentVolumeClaim data is not bound: storageclass "x" not found: name another',
            (
                f"{POD}.volumes[data].persistentVolumeClaim.claimName: PersistentVolumeClaim data is not bound: "
                'storageclass "x" not found: name another'
            ),
        ),
        (
            "PersistentVolumeClaim saved is not bound: nothing: name another",
            (
                "spec.checkpoint.persistentVolumeClaim.claimName: PersistentVolumeClaim saved is not bound: nothing: "
                "name another"
            ),
        ),
        (
            NODES + "node(s) didn't find available persistent volumes to bind.",
            (
                f"{POD}.volumes[data].persistentVolumeClaim.claimName, "
                "spec.checkpoint.persistentVolumeClaim.claimName: no node can have a volume for this claim: make one, "
                f"or name another claim ({NODES}node(s) didn't find available persistent volumes to bind.)"
            ),
        ),
        (
            NODES + "node(s) didn't match PersistentVolume's node affinity.",
            (
                f"{POD}.volumes[data].persistentVolumeClaim.claimName, "
                "spec.checkpoint.persistentVolumeClaim.claimName: no node can have a volume for this claim: make one, "
                f"or name another claim ({NODES}node(s) didn't match PersistentVolume's node affinity.)"
            ),
        ),
        ("PersistentVolumeClaim a-helpers is not bound: no", "PersistentVolumeClaim a-helpers is not bound: no"),
        (
            "no scheduler called volcano has taken up the pod",
            (
                f"{POD}.schedulerName: no scheduler called volcano has taken up the pod: correct the name, remove it, "
                "or start that scheduler"
            ),
        ),
        (
            "no scheduler called default-scheduler has taken up the pod",
            "no scheduler called default-scheduler has taken up the pod",
        ),
        (
            "container trainer: container has runAsNonRoot and image will run as root (pod: x, container: trainer)",
            (
                "spec.trainer.securityContext.runAsUser: container has runAsNonRoot and image will run as root "
                "(pod: x, container: trainer): name a user above 0"
            ),
        ),
        (
            f"container side: {RUNC}",
            f'{POD}.containers[side].command: exec: "nope": executable file not found in $PATH: {HAS_IT}',
        ),
        (
            f"container side ended with exit code 128: {RUNC}",
            f'{POD}.containers[side].command: exec: "nope": executable file not found in $PATH: {HAS_IT}',
        ),
        ("container side ended with exit code 1: no", "container side ended with exit code 1: no"),
        ("container side: it is broken", f"{POD}.containers[side]: it is broken"),
        ("container modelyard-source: it is broken", "container modelyard-source: it is broken"),
        ('secret "of-somebody-else" not found', 'secret "of-somebody-else" not found'),
        ("words that nobody knows", "words that nobody knows"),
    ],
)
def test_the_field_its_value_and_the_cure_are_named(said: str, told: str) -> None:
    spec = TrainingJobSpec.model_validate(EVERYTHING)
    assert cures.told(spec, Trouble("Any", said)) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'Job.batch "digits-1" is invalid: spec.template.spec.containers[0].volumeMounts[0].name: Not found: "no"',
            'spec.trainer.volumeMounts[0].name: Not found: "no"',
        ),
        (
            "spec.template.spec.initContainers[1].image: Required value; spec.template.metadata.labels: Invalid value",
            "spec.prepare.image: Required value; spec.podTemplate.metadata.labels: Invalid value",
        ),
        (
            "cannot unmarshal string into Go struct field PodSpec.spec.template.spec.tolerations of type []v1.X",
            ("cannot unmarshal string into Go struct field PodSpec.spec.podTemplate.spec.tolerations of type []v1.X"),
        ),
    ],
)
def test_a_refused_job_is_told_in_the_fields_that_it_was_made_of(said: str, told: str) -> None:
    assert cures.in_fields(TrainingJobSpec.model_validate(EVERYTHING), said) == told


MISSING = f'exec: "nope": executable file not found in $PATH: {HAS_IT}'
WORD = "exit code 127 is a shell's word for a command that is not there"


@pytest.mark.parametrize(
    ("spec", "outcome", "told"),
    [
        ({"trainer": {"command": ["nope"]}}, Outcome("ConfigError", 128, RUNC), f"spec.trainer.command: {MISSING}"),
        ({"trainer": {"image": "x"}}, Outcome("ConfigError", 128, RUNC), f"spec.trainer.image: {MISSING}"),
        (
            {"trainer": {}, "source": {"configMap": {"name": "x"}}, "mlproject": {}},
            Outcome("Error", 127, "sh: nope: not found"),
            f"spec.mlproject: {WORD}: sh: nope: not found",
        ),
        (
            EVERYTHING,
            Outcome("PrepareFailed", 128, f"container prepare: {RUNC}; its log: x", container="prepare"),
            f"spec.prepare.command: {MISSING}",
        ),
        (
            {"trainer": {"command": ["/x"]}},
            Outcome("ConfigError", 128, 'x: exec: "/x": stat /x: no such file or directory: unknown'),
            f'spec.trainer.command: exec: "/x": stat /x: no such file or directory: {HAS_IT}',
        ),
        ({"trainer": {"command": ["sh"]}}, Outcome("Error", 127), f"spec.trainer.command: {WORD}"),
        ({"trainer": {"command": ["sh"]}}, Outcome("Error", 1, "no such column"), "no such column"),
        ({"trainer": {}}, Outcome("Error", 128, RUNC, container="side"), RUNC),
    ],
)
def test_a_command_that_cannot_be_run_names_the_field_that_says_it(
    spec: dict[str, Any], outcome: Outcome, told: str
) -> None:
    explained = cures.explained(TrainingJobSpec.model_validate(spec), outcome)
    assert explained.message == told
    assert explained.reason == outcome.reason
