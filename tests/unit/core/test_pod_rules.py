"""Each field that a pod template may not set is refused, and named with the cure."""

from typing import Any

import pytest

from modelyard.api.base import PodTemplate
from modelyard.core.pod_rules import problems_of


def problems(spec: Any, **metadata: dict[str, str]) -> list[str]:  # any JSON
    return problems_of(PodTemplate.model_validate({"spec": spec, "metadata": metadata}))


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
    {"containers": None, "volumes": None, "securityContext": None},
    container(securityContext={"capabilities": {"drop": ["ALL"]}, "procMount": "Default"}),
]


@pytest.mark.parametrize(("spec", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_a_field_is_refused_and_named(spec: dict[str, Any], named: str) -> None:
    [problem] = problems(spec)
    assert problem.startswith(named)
    assert any(cure in problem for cure in ("remove it", "rename it", "use a", "set runAsUser", "must be"))


@pytest.mark.parametrize("spec", ALLOWED)
def test_what_does_no_harm_is_allowed(spec: dict[str, Any] | None) -> None:
    assert problems(spec) == []


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_the_operators_own_metadata_is_refused(field: str) -> None:
    [problem] = problems({}, **{field: {"modelyard.io/attempt": "9", "team": "a"}})
    assert problem.startswith(f"spec.podTemplate.metadata.{field}: modelyard.io/attempt")


def test_every_problem_is_told_at_once() -> None:
    assert len(problems({"hostPID": True, "hostIPC": True} | container(env=[{"name": "MLFLOW_RUN_ID"}]))) == 3


def test_no_template_is_no_problem() -> None:
    assert problems_of(None) == []
