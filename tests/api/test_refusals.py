"""What only the operator, or only the API server at the last moment, can refuse: it is said, and can be cured."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.escalations import ESCALATIONS
from support.kube import Refused, path_of
from support.manifests import model_deployment, resource_quota, warning
from support.serving import Serving
from support.training import Training
from support.world import World, condition

pytestmark = pytest.mark.api

FORBIDDEN: dict[str, dict[str, Any]] = {
    "spec.podTemplate.spec.hostNetwork": {"spec": {"hostNetwork": True}},
    "spec.podTemplate.spec.nodeName": {"spec": {"nodeName": "control-plane"}},
    "spec.podTemplate.spec.volumes[host]: hostPath": {
        "spec": {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}
    },
    "spec.podTemplate.spec.containers[side].securityContext.privileged": {
        "spec": {"containers": [{"name": "side", "image": "x", "securityContext": {"privileged": True}}]}
    },
    "spec.podTemplate.spec.containers[side].env: MLFLOW_RUN_ID": {
        "spec": {"containers": [{"name": "side", "image": "x", "env": [{"name": "MLFLOW_RUN_ID", "value": "0"}]}]}
    },
    "spec.podTemplate.spec.containers must be a list": {"spec": {"containers": "many"}},
    "spec.podTemplate.metadata.labels: modelyard.io/attempt": {"metadata": {"labels": {"modelyard.io/attempt": "7"}}},
}


@pytest.mark.parametrize("field", FORBIDDEN)
def test_a_pod_template_that_is_not_allowed_is_invalid_within_10_seconds(world: World, field: str) -> None:
    training = Training(world, podTemplate=FORBIDDEN[field])
    assert field in training.until_invalid()
    assert training.jobs() == []
    assert training.statuses_of_runs() == []


def test_without_any_policy_no_training_gains_more_than_its_namespace_gives(world: World) -> None:
    trainings = {
        gain: Training(world, f"t{number}", podTemplate={"spec": spec})
        for number, (gain, (spec, _)) in enumerate(ESCALATIONS.items())
    }
    for gain, training in trainings.items():
        assert ESCALATIONS[gain][1] in training.until_invalid()
    assert world.items("Job") == []


def test_without_any_policy_no_server_gains_more_than_its_namespace_gives(world: World) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    model = {"name": name, "alias": "champion"}
    for number, (spec, _) in enumerate(ESCALATIONS.values()):
        world.apply(model_deployment(f"m{number}", model, podTemplate={"spec": spec}))

    def refusal(number: int) -> str:
        ready = condition(world.get("ModelDeployment", f"m{number}"), "Ready")
        return str(ready["message"]) if ready.get("reason") == "InvalidSpec" else ""

    for number, (_, named) in enumerate(ESCALATIONS.values()):
        assert named in world.until(lambda number=number: refusal(number), f"m{number} is refused")
    assert world.items("Deployment") == []


def test_a_serving_pod_template_that_is_not_allowed_is_invalid_and_can_be_corrected(world: World) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    serving = Serving(world, model={"name": name, "alias": "champion"}, podTemplate={"spec": {"hostPID": True}})
    said = serving.until_ready_says("False", "InvalidSpec", 10)
    assert "spec.podTemplate.spec.hostPID" in said["message"]
    assert world.items("Deployment") == []
    world.patch("ModelDeployment", "digits", podTemplate=None)
    serving.come_up("1")


def test_a_field_that_a_pod_does_not_have_is_told_in_the_api_servers_words(world: World) -> None:
    template = {"spec": {"containers": [{"name": "side", "image": "x", "ports": [{"containerPort": 70000}]}]}}
    training = Training(world, podTemplate=template)
    said = world.until(lambda: "70000" in training.condition("Complete").get("message", ""), "it says so")
    assert said
    assert training.jobs() == []


def test_a_quota_that_lets_no_job_in_is_told_and_once_it_is_lifted_it_goes_on(world: World) -> None:
    world.create(resource_quota(**{"count/jobs.batch": "0"}))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    training = Training(world)
    world.until(lambda: "exceeded quota: tight" in training.condition("Complete").get("message", ""), "it says so")
    assert training.condition("Complete")["status"] == "False"
    assert training.status["problem"] == "QuotaExceeded"
    assert len(training.statuses_of_runs()) == 1
    world.delete("ResourceQuota", "tight")
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.status["attempt"] == 1
    assert training.statuses_of_runs() == ["FINISHED"], "the run made before is used"


def test_a_quota_that_lets_no_pod_in_is_told_and_once_it_is_lifted_it_goes_on(world: World) -> None:
    world.create(resource_quota(pods="0"))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    training = Training(world)
    world.until(lambda: training.status.get("problem") == "QuotaExceeded", "the quota is named", 45)
    assert training.state == "Pending"
    assert "exceeded quota: tight" in training.condition("Complete")["message"]
    world.delete("ResourceQuota", "tight")
    # The Job controller tries again with a growing pause of its own.
    world.kubelet.succeed(training.pod(seconds=90))
    training.until_over()
    assert training.status["attempt"] == 1
    assert "problem" not in training.status


@pytest.mark.parametrize(("resource", "group"), [("pods", ""), ("jobs", "batch")])
def test_a_policy_that_refuses_is_named_and_once_it_is_lifted_it_goes_on(
    world: World, resource: str, group: str
) -> None:
    with policy_against(world, resource, group):
        training = Training(world)
        world.until(lambda: training.status.get("problem") == "PolicyDenied", "the policy is named", 45)
        assert "no trainings on Fridays" in training.condition("Complete")["message"]
    world.kubelet.succeed(training.pod(seconds=90))
    training.until_over()
    assert training.status["attempt"] == 1


def test_a_source_that_is_not_there_is_told_from_the_events_of_its_pod(world: World) -> None:
    training = Training(world, source={"configMap": {"name": "nowhere"}})
    pod = training.pod()
    said = 'MountVolume.SetUp failed for volume "modelyard-source" : configmap "nowhere" not found'
    world.kubelet.bind(pod)
    world.create(warning(pod | {"kind": "Pod"}, "FailedMount", said))
    world.until(lambda: training.status.get("problem") == "ConfigError", "it is told", 60)
    told = "spec.source.configMap.name: there is no ConfigMap nowhere in this namespace"
    assert told in training.condition("Complete")["message"]


@contextmanager
def policy_against(world: World, resource: str, group: str) -> Iterator[None]:
    """A ValidatingAdmissionPolicy that lets nothing of this resource into the test's namespace."""
    place, name = "/apis/admissionregistration.k8s.io/v1", world.namespace
    selector = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    rules = [{"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}]
    policy = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": selector},
            "validations": [{"expression": "false", "message": "no trainings on Fridays"}],
        },
    }
    binding = {"metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}}
    world.kube.send("POST", f"{place}/validatingadmissionpolicies", policy)
    world.kube.send("POST", f"{place}/validatingadmissionpolicybindings", binding)
    try:
        world.until(lambda: is_refused(world, resource), "the policy is in force")
        yield
    finally:
        world.kube.send("DELETE", f"{place}/validatingadmissionpolicybindings/{name}")
        world.kube.send("DELETE", f"{place}/validatingadmissionpolicies/{name}")


def is_refused(world: World, resource: str) -> bool:
    """Whether the API server refuses such an object now; asked without making one."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}
    manifest: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": pod}
    if resource == "jobs":
        manifest |= {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": pod}}}
    path = path_of(manifest["kind"], world.namespace)
    try:
        world.kube.send("POST", path, manifest, query={"dryRun": "All"})
    except Refused as refusal:
        return "no trainings on Fridays" in refusal.message
    return False


def test_a_quota_that_lets_no_serving_pod_in_is_told(world: World) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    world.create(resource_quota(pods="0"))
    world.until(lambda: "used" in (world.get("ResourceQuota", "tight") or {}).get("status", {}), "the quota counts")
    serving = Serving(world, model={"name": name, "alias": "champion"})
    world.until(lambda: "exceeded quota: tight" in serving.condition("Ready").get("message", ""), "it says so")
    assert serving.condition("Degraded")["status"] == "True"
    world.delete("ResourceQuota", "tight")
    world.until(lambda: serving.pods("1"), "a pod", 60)
    serving.come_up("1")
