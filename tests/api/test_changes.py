"""What of spec may change, and when; no operator runs here."""

from collections.abc import Callable
from typing import Any

import pytest

from support.kube import Kube, Manifest, Refused
from support.manifests import model_deployment, training_job

pytestmark = pytest.mark.api

NAMESPACE = "default"

EVERYTHING = training_job(
    "everything",
    trainer={
        "image": "x",
        "command": ["a"],
        "env": [{"name": "A", "value": "x"}],
        "resources": {"limits": {"memory": "1Gi", "cpu": 2}},
    },
    podTemplate={"metadata": {"labels": {"a": "b"}}, "spec": {"nodeSelector": {"gpu": "yes"}, "anything": [1]}},
    source={"configMap": {"name": "code"}},
    parameters=[{"name": "C", "value": "1.0"}],
    retry={
        "limit": 1,
        "backoff": {"initialSeconds": 1, "maxSeconds": 2},
        "nonRetryableExitCodes": [2],
        "onOutOfMemory": {"memoryFactor": "1.5", "maxMemory": "8Gi"},
    },
    nodes=2,
    processesPerNode=2,
    checkpoint={"persistentVolumeClaim": {"claimName": "kept"}},
    activeDeadlineSeconds=600,
    pendingDeadlineSeconds=60,
    ttlSecondsAfterFinished=86400,
    queueName="gpus",
    tracking={"experiment": "e", "runName": "r", "tags": [{"name": "a", "value": "b"}], "metrics": ["m"]},
    model={"name": "m", "artifact": "a", "register": "OnSuccess", "aliases": ["candidate"]},
)

FIXED: dict[str, dict[str, Any]] = {
    "trainer": {"image": "y"},
    "podTemplate": {"spec": {"anything": [2]}},
    "source": {"configMap": {"name": "other"}},
    "parameters": {"parameters": None},
    "retry.backoff": {"initialSeconds": 2},
    "retry.nonRetryableExitCodes": {"retry": {"nonRetryableExitCodes": [3]}},
    "retry.onOutOfMemory": {"maxMemory": "9Gi"},
    "nodes": {"nodes": 3},
    "processesPerNode": {"processesPerNode": 3},
    "checkpoint": {"mountPath": "/other"},
    "pendingDeadlineSeconds": {"pendingDeadlineSeconds": 61},
    "queueName": {"queueName": "cpus"},
    "tracking": {"runName": "other"},
    "model": {"aliases": ["champion"]},
}


def change(field: str, value: dict[str, Any]) -> dict[str, Any]:
    """A merge patch of one part of spec; a part's own name gives its new value, or None to remove it."""
    first, _, rest = field.partition(".")
    if first in value:
        return {"spec": value}
    return {"spec": {first: {rest: value} if rest else value}}


@pytest.fixture
def made(kube: Kube, request: pytest.FixtureRequest) -> Callable[[Manifest], str]:
    """Creates an object that goes after the test; its name."""

    def make(manifest: Manifest) -> str:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        kube.create_strictly(manifest | {"metadata": manifest["metadata"] | {"namespace": NAMESPACE}})
        request.addfinalizer(lambda: kube.delete(kind, NAMESPACE, name))
        return str(name)

    return make


@pytest.mark.parametrize("field", FIXED)
def test_after_the_start_a_part_of_spec_is_fixed(kube: Kube, made: Callable[[Manifest], str], field: str) -> None:
    name = made(EVERYTHING)
    with pytest.raises(Refused) as refusal:
        kube.patch("TrainingJob", NAMESPACE, name, change(field, FIXED[field]))
    assert f"spec.{field} cannot change after the start" in refusal.value.message
    assert "delete the TrainingJob and apply it again" in refusal.value.message


@pytest.mark.parametrize("field", FIXED)
def test_suspended_and_never_started_it_may_still_change(
    kube: Kube, made: Callable[[Manifest], str], field: str
) -> None:
    name = made({**EVERYTHING, "spec": EVERYTHING["spec"] | {"suspend": True}})
    kube.patch("TrainingJob", NAMESPACE, name, change(field, FIXED[field]))


@pytest.mark.parametrize("field", FIXED)
def test_invalid_and_never_started_it_may_still_change(kube: Kube, made: Callable[[Manifest], str], field: str) -> None:
    name = made(EVERYTHING)
    kube.patch("TrainingJob", NAMESPACE, name, {"status": {"problem": "InvalidSpec"}}, "status")
    kube.patch("TrainingJob", NAMESPACE, name, change(field, FIXED[field]))


def test_once_it_started_it_is_fixed_whatever_its_problem(kube: Kube, made: Callable[[Manifest], str]) -> None:
    name = made(EVERYTHING)
    status = {"problem": "InvalidSpec", "startTime": "2026-01-01T00:00:00Z"}
    kube.patch("TrainingJob", NAMESPACE, name, {"status": status}, "status")
    with pytest.raises(Refused, match=r"spec\.trainer cannot change after the start"):
        kube.patch("TrainingJob", NAMESPACE, name, change("trainer", {"image": "y"}))


def test_suspended_but_started_it_is_fixed(kube: Kube, made: Callable[[Manifest], str]) -> None:
    name = made({**EVERYTHING, "spec": EVERYTHING["spec"] | {"suspend": True}})
    kube.patch("TrainingJob", NAMESPACE, name, {"status": {"startTime": "2026-01-01T00:00:00Z"}}, "status")
    with pytest.raises(Refused, match=r"spec\.trainer cannot change after the start"):
        kube.patch("TrainingJob", NAMESPACE, name, change("trainer", {"image": "y"}))


@pytest.mark.parametrize(
    "edit",
    [{"suspend": True}, {"retry": {"limit": 9}}, {"activeDeadlineSeconds": None}, {"ttlSecondsAfterFinished": 0}],
    ids=["suspend", "retry.limit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"],
)
def test_what_may_change_at_any_time(kube: Kube, made: Callable[[Manifest], str], edit: dict[str, Any]) -> None:
    kube.patch("TrainingJob", NAMESPACE, made(EVERYTHING), {"spec": edit})


def test_a_served_models_name_is_fixed(kube: Kube, made: Callable[[Manifest], str]) -> None:
    name = made(model_deployment("serving"))
    with pytest.raises(Refused, match=r"spec\.model\.name cannot change"):
        kube.patch("ModelDeployment", NAMESPACE, name, {"spec": {"model": {"name": "other"}}})


@pytest.mark.parametrize("backend", ["SeldonDeployment", None], ids=["another", "none"])
def test_a_backend_is_fixed(kube: Kube, made: Callable[[Manifest], str], backend: str | None) -> None:
    name = made(model_deployment("serving"))
    with pytest.raises(Refused, match=r"spec\.backend cannot change"):
        kube.patch("ModelDeployment", NAMESPACE, name, {"spec": {"backend": backend}})


def test_alias_and_version_may_be_exchanged(kube: Kube, made: Callable[[Manifest], str]) -> None:
    name = made(model_deployment("serving"))
    change_model = {"spec": {"model": {"alias": None, "version": "3"}}}
    assert kube.patch("ModelDeployment", NAMESPACE, name, change_model)["spec"]["model"]["version"] == "3"


def test_what_is_left_out_gets_the_documented_default(kube: Kube, made: Callable[[Manifest], str]) -> None:
    spec = (kube.get("TrainingJob", NAMESPACE, made(training_job("sparse"))) or {})["spec"]
    assert spec["suspend"] is False
    assert spec["retry"] == {"limit": 2, "backoff": {"initialSeconds": 10, "maxSeconds": 300}}
    spec = (kube.get("ModelDeployment", NAMESPACE, made(model_deployment("sparse"))) or {})["spec"]
    assert (spec["replicas"], spec["paused"], spec["progressDeadlineSeconds"]) == (1, False, 600)


def test_pod_templates_keep_fields_that_the_schema_does_not_know(kube: Kube, made: Callable[[Manifest], str]) -> None:
    found = kube.get("TrainingJob", NAMESPACE, made(EVERYTHING)) or {}
    assert found["spec"]["podTemplate"]["spec"] == {"nodeSelector": {"gpu": "yes"}, "anything": [1]}
