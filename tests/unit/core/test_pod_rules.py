"""Each field that a pod template may not set is refused, and named with the cure."""

from typing import Any

import pytest

from modelyard.api.base import PodTemplate
from modelyard.core.pod_rules import problems_of
from support.escalations import ESCALATIONS


def problems(spec: Any, **metadata: dict[str, str]) -> list[str]:  # any JSON
    return problems_of(PodTemplate.model_validate({"spec": spec, "metadata": metadata}), "trainer")


def container(**fields: object) -> dict[str, Any]:
    return {"containers": [{"name": "trainer"} | fields]}


POD = "spec.podTemplate.spec"
TRAINER = f"{POD}.containers[trainer]"
REFUSED = [
    ({"hostNetwork": True}, f"{POD}.hostNetwork"),
    ({"hostPID": True}, f"{POD}.hostPID"),
    ({"hostIPC": True}, f"{POD}.hostIPC"),
    ({"hostUsers": True}, f"{POD}.hostUsers"),
    ({"shareProcessNamespace": True}, f"{POD}.shareProcessNamespace"),
    ({"restartPolicy": "Always"}, f"{POD}.restartPolicy"),
    ({"nodeName": "node-1"}, f"{POD}.nodeName"),
    ({"activeDeadlineSeconds": 5}, f"{POD}.activeDeadlineSeconds"),
    ({"ephemeralContainers": [{}]}, f"{POD}.ephemeralContainers"),
    ({"securityContext": {"runAsUser": 0}}, f"{POD}.securityContext"),
    ({"securityContext": {"runAsNonRoot": False}}, f"{POD}.securityContext"),
    ({"securityContext": {"sysctls": [{}]}}, f"{POD}.securityContext.sysctls"),
    ({"securityContext": {"seLinuxOptions": {"type": "x"}}}, f"{POD}.securityContext.seLinuxOptions"),
    ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, f"{POD}.securityContext.windowsOptions"),
    ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, f"{POD}.securityContext.appArmorProfile"),
    ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, f"{POD}.volumes[v]: hostPath"),
    ({"volumes": [{"name": "v", "nfs": {}}]}, f"{POD}.volumes[v]: nfs"),
    ({"volumes": [{"name": "modelyard-x", "emptyDir": {}}]}, f"{POD}.volumes[modelyard-x]"),
    (container(securityContext={"privileged": True}), f"{TRAINER}.securityContext.privileged"),
    (container(securityContext={"allowPrivilegeEscalation": True}), f"{TRAINER}.securityContext.allowPriv"),
    (container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}), f"{TRAINER}.securityContext.capabilities"),
    (container(securityContext={"procMount": "Unmasked"}), f"{TRAINER}.securityContext.procMount"),
    (container(securityContext={"runAsUser": 0}), f"{TRAINER}.securityContext"),
    (container(ports=[{"hostPort": 80}]), f"{TRAINER}.ports"),
    (container(env=[{"name": "MLFLOW_RUN_ID"}]), f"{TRAINER}.env: MLFLOW_RUN_ID"),
    (container(env=[{"name": "PARAM_A"}]), f"{TRAINER}.env: PARAM_A"),
    ({"initContainers": [{"name": "i", "env": [{"name": "LD_PRELOAD"}]}]}, f"{POD}.initContainers[i].env: LD_PRELOAD"),
    ({"initContainers": [{"name": "modelyard-source"}]}, f"{POD}.initContainers[modelyard-source]"),
    ({"initContainers": [{"name": "trainer"}]}, f"{POD}.initContainers[trainer]: another container"),
    ({"initContainers": [{"name": "a"}], "containers": [{"name": "a"}]}, f"{POD}.containers[a]: another container"),
    ({"containers": [{"name": "trainer"}, {"name": "trainer"}]}, f"{TRAINER}: another container"),
    ({"priority": 9}, f"{POD}.priority"),
    ({"priorityClassName": "system-node-critical"}, f"{POD}.priorityClassName: system-node-critical"),
    ({"serviceAccount": "strong"}, f"{POD}.serviceAccount is"),
    ({"os": {"name": "windows"}}, f"{POD}.os"),
    ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, f"{POD}.securityContext.seccompProfile"),
    (container(restartPolicy="Always"), f"{TRAINER}: restartPolicy"),
    ({"initContainers": [{"name": "i", "restartPolicyRules": [{}]}]}, f"{POD}.initContainers[i]: restartPolicy"),
    (container(livenessProbe={"httpGet": {"host": "10.0.0.1"}}), f"{TRAINER}.livenessProbe: host"),
    (container(readinessProbe={"tcpSocket": {"host": "10.0.0.1"}}), f"{TRAINER}.readinessProbe: host"),
    (container(lifecycle={"preStop": {"httpGet": {"host": "10.0.0.1"}}}), f"{TRAINER}.lifecycle: host"),
    ({"containers": "x"}, f"{POD}.containers must be"),
    ({"containers": [1]}, f"{POD}.containers must be"),
    ({"initContainers": {"a": 1}}, f"{POD}.initContainers must be"),
    ({"volumes": ["x"]}, f"{POD}.volumes must be"),
    ({"securityContext": "x"}, f"{POD}.securityContext must be"),
    ({"containers": [{"name": ["x"]}]}, f"{POD}.containers: every name"),
    (container(env="x"), f"{TRAINER}.env must be"),
    (container(env=[{"name": {}}]), f"{TRAINER}.env: every name"),
    (container(ports=[1]), f"{TRAINER}.ports must be"),
    (container(volumeMounts=[{"mountPath": 1}]), f"{TRAINER}.volumeMounts: every mountPath"),
    (
        container(volumeMounts=[{"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}]),
        f"{TRAINER}.volumeMounts: 2 volumes are mounted at /x; choose another mountPath",
    ),
    (container(securityContext=[1]), f"{TRAINER}.securityContext must be"),
    (container(securityContext={"capabilities": "ALL"}), f"{TRAINER}.securityContext must be"),
]
ALLOWED = [
    None,
    {},
    {"hostNetwork": False, "securityContext": {"runAsUser": 1000, "fsGroup": 0}},
    {"nodeSelector": {"a": "b"}, "tolerations": [{}], "serviceAccountName": "trainer", "priorityClassName": "x"},
    {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
    {"containers": [{"name": "trainer", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}]}]},
    {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}], "os": {"name": "linux"}},
    container(livenessProbe={"httpGet": {"port": 80}}, lifecycle={"preStop": {"exec": {"command": ["x"]}}}),
    {
        "serviceAccountName": "trainer",
        "volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}],
    },
    {"volumes": [{"name": "p", "projected": {"sources": [{"configMap": {"name": "c"}}]}}]},
    {"volumes": [{"name": "p", "projected": "odd"}], "os": "odd"},
    {"containers": None, "volumes": None, "securityContext": None},
    container(securityContext={"capabilities": {"drop": ["ALL"]}, "procMount": "Default"}),
]


@pytest.mark.parametrize(("spec", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_field_is_refused_and_named(spec: dict[str, Any], named: str) -> None:
    [problem] = problems(spec)
    assert problem.startswith(named)
    assert any(cure in problem for cure in ("remove ", "rename it", "use ", "set ", "must be", "choose "))


@pytest.mark.parametrize("spec", ALLOWED)
def test_what_does_no_harm_is_allowed(spec: dict[str, Any] | None) -> None:
    assert problems(spec) == []


@pytest.mark.parametrize("gain", ESCALATIONS)
def test_no_template_gains_more_than_its_namespace_gives(gain: str) -> None:
    spec, named = ESCALATIONS[gain]
    assert [problem for problem in problems(spec) if named in problem]


@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize(
    "name",
    [
        "modelyard.io/attempt",
        "batch.kubernetes.io/controller-uid",
        "job-name",
        "controller-uid",
        "container.apparmor.security.beta.kubernetes.io/trainer",
        "seccomp.security.alpha.kubernetes.io/pod",
    ],
)
def test_metadata_that_is_not_the_users_is_refused(field: str, name: str) -> None:
    [problem] = problems({}, **{field: {name: "9", "team": "a"}})
    assert problem.startswith(f"spec.podTemplate.metadata.{field}: {name}")


def test_every_problem_is_told_at_once() -> None:
    assert len(problems({"hostPID": True, "hostIPC": True} | container(env=[{"name": "MLFLOW_RUN_ID"}]))) == 3


def test_no_template_is_no_problem() -> None:
    assert problems_of(None, "trainer") == []
