"""What a spec may hold: each bound refuses the first value beyond it and takes the last one within."""

from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from modelyard.api.base import RESERVED_ENVIRONMENT, RESERVED_PREFIXES, is_reserved_variable
from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS
from modelyard.api.model_deployment import ModelDeployment, ModelDeploymentSpec
from modelyard.api.training_job import TrainingJob, TrainingJobSpec
from support.bad_values import with_patterns

Spec = dict[str, Any]
SCHEMAS = {
    kind: jsonschema.Draft202012Validator(with_patterns(schema_of(kind)["properties"]["spec"])) for kind in KINDS
}


def training(**fields: object) -> Spec:
    return {"trainer": {}} | fields


def serving(**fields: object) -> Spec:
    return {"model": {"name": "digits", "alias": "champion"}} | fields


def route(**fields: object) -> Spec:
    return serving(route={"gateway": {"name": "web"}, "hostnames": ["example.org"]} | fields)


def registering(**fields: object) -> Spec:
    return training(model={"name": "digits"} | fields)


def checkpoint(**fields: object) -> Spec:
    return training(checkpoint={"persistentVolumeClaim": {"claimName": "kept"}, **fields})


def backoff(**fields: int) -> Spec:
    return training(retry={"backoff": fields})


def codes(*found: int) -> Spec:
    return training(retry={"nonRetryableExitCodes": list(found)})


def memory(**policy: str) -> Spec:
    return training(retry={"onOutOfMemory": policy})


def tags(count: int) -> list[Spec]:
    return [{"name": f"t{number}", "value": ""} for number in range(count)]


BOUNDS = [
    ("trainer.image", training(trainer={"image": "x" * 1024}), training(trainer={"image": "x" * 1025})),
    ("trainer.image", training(trainer={"image": "x"}), training(trainer={"image": ""})),
    ("trainer.command", training(trainer={"command": ["x"] * 64}), training(trainer={"command": ["x"] * 65})),
    ("trainer.args", training(trainer={"args": ["x"] * 256}), training(trainer={"args": ["x"] * 257})),
    ("trainer.workingDir", training(trainer={"workingDir": "/src"}), training(trainer={"workingDir": "src"})),
    ("trainer.env", training(trainer={"env": [{"name": "A"}] * 100}), training(trainer={"env": [{"name": "A"}] * 101})),
    ("trainer.env.name", training(trainer={"env": [{"name": "A"}]}), training(trainer={"env": [{"name": ""}]})),
    ("trainer.envFrom", training(trainer={"envFrom": [{}] * 20}), training(trainer={"envFrom": [{}] * 21})),
    (
        "trainer.volumeMounts",
        training(trainer={"volumeMounts": [{}] * 50}),
        training(trainer={"volumeMounts": [{}] * 51}),
    ),
    (
        "trainer.imagePullPolicy",
        training(trainer={"imagePullPolicy": "Always"}),
        training(trainer={"imagePullPolicy": "x"}),
    ),
    ("trainer", training(), {}),
    (
        "source.configMap.name",
        training(source={"configMap": {"name": "a"}}),
        training(source={"configMap": {"name": ""}}),
    ),
    ("source.git.url", training(source={"git": {"url": "https://a/b"}}), training(source={"git": {"url": ""}})),
    (
        "parameters.name",
        training(parameters=[{"name": "_a1", "value": ""}]),
        training(parameters=[{"name": "a-b", "value": ""}]),
    ),
    (
        "parameters.value",
        training(parameters=[{"name": "a", "value": "x" * 6000}]),
        training(parameters=[{"name": "a", "value": "x" * 6001}]),
    ),
    (
        "parameters",
        training(parameters=[{"name": "a", "value": ""}] * 100),
        training(parameters=[{"name": "a", "value": ""}] * 101),
    ),
    ("nodes", training(nodes=1), training(nodes=0)),
    ("nodes", training(nodes=256), training(nodes=257)),
    ("processesPerNode", training(processesPerNode=1), training(processesPerNode=0)),
    ("processesPerNode", training(processesPerNode=64), training(processesPerNode=65)),
    ("checkpoint.mountPath", checkpoint(mountPath="/a"), checkpoint(mountPath="a")),
    ("checkpoint.mountPath", checkpoint(), checkpoint(mountPath="/a:b")),
    ("checkpoint.claimName", checkpoint(), training(checkpoint={"persistentVolumeClaim": {"claimName": "A"}})),
    ("checkpoint", checkpoint(), training(checkpoint={})),
    ("retry.limit", training(retry={"limit": 100}), training(retry={"limit": 101})),
    ("retry.limit", training(retry={"limit": 0}), training(retry={"limit": -1})),
    ("retry.backoff.initialSeconds", backoff(initialSeconds=86400), backoff(initialSeconds=86401)),
    ("retry.backoff.maxSeconds", backoff(maxSeconds=0), backoff(maxSeconds=-1)),
    ("retry.nonRetryableExitCodes", codes(1, 255), codes(0)),
    ("retry.nonRetryableExitCodes", codes(1, 255), codes(256)),
    ("retry.nonRetryableExitCodes", codes(*range(1, 21)), codes(*range(1, 22))),
    ("retry.onOutOfMemory.maxMemory", memory(maxMemory="1.5Gi"), memory(maxMemory="-1Gi")),
    ("retry.onOutOfMemory.maxMemory", memory(maxMemory="8G"), memory()),
    (
        "retry.onOutOfMemory.memoryFactor",
        memory(maxMemory="8Gi", memoryFactor="1.25"),
        memory(maxMemory="8Gi", memoryFactor="1e3"),
    ),
    ("activeDeadlineSeconds", training(activeDeadlineSeconds=1), training(activeDeadlineSeconds=0)),
    ("activeDeadlineSeconds", training(activeDeadlineSeconds=31536000), training(activeDeadlineSeconds=31536001)),
    ("pendingDeadlineSeconds", training(pendingDeadlineSeconds=1), training(pendingDeadlineSeconds=0)),
    ("ttlSecondsAfterFinished", training(ttlSecondsAfterFinished=0), training(ttlSecondsAfterFinished=-1)),
    ("queueName", training(queueName="team-a"), training(queueName="Team_A")),
    ("queueName", training(queueName="x" * 63), training(queueName="x" * 64)),
    ("tracking.experiment", training(tracking={"experiment": "x" * 500}), training(tracking={"experiment": "x" * 501})),
    ("tracking.runName", training(tracking={"runName": "x"}), training(tracking={"runName": ""})),
    ("tracking.metrics", training(tracking={"metrics": ["m"] * 10}), training(tracking={"metrics": ["m"] * 11})),
    ("tracking.tags", training(tracking={"tags": tags(50)}), training(tracking={"tags": tags(51)})),
    (
        "tracking.tags.name",
        training(tracking={"tags": [{"name": "a/b.c-d e", "value": ""}]}),
        training(tracking={"tags": [{"name": "a`b", "value": ""}]}),
    ),
    ("model.name", registering(name="a model.v1"), registering(name="a/b")),
    ("model.name", registering(name="x" * 255), registering(name="x" * 256)),
    ("model.name", registering(name="é"), registering(name="a'b")),
    ("model.register", registering(register="Never"), registering(register="Always")),
    ("model.aliases", registering(aliases=["a_b-1"]), registering(aliases=["a.b"])),
    ("model.aliases", registering(aliases=["a"] * 10), registering(aliases=["a"] * 11)),
    ("model.tags", registering(tags=tags(50)), registering(tags=tags(51))),
    ("model.version", serving(model={"name": "d", "version": "12"}), serving(model={"name": "d", "version": "012"})),
    ("model.version", serving(model={"name": "d", "version": "12"}), serving(model={"name": "d", "version": "0"})),
    ("model.alias", serving(), serving(model={"name": "d", "alias": ""})),
    ("backend", serving(backend="Deployment"), serving(backend="KServe")),
    ("replicas", serving(replicas=0), serving(replicas=-1)),
    ("replicas", serving(replicas=1000), serving(replicas=1001)),
    ("progressDeadlineSeconds", serving(progressDeadlineSeconds=10), serving(progressDeadlineSeconds=9)),
    ("server.image", serving(server={"image": "x"}), serving(server={"image": ""})),
    ("server.env", serving(server={"env": [{"name": "A"}] * 100}), serving(server={"env": [{"name": "A"}] * 101})),
    ("route.gateway.name", route(gateway={"name": "web.a"}), route(gateway={"name": "Web"})),
    (
        "route.gateway.namespace",
        route(gateway={"name": "a", "namespace": "b"}),
        route(gateway={"name": "a", "namespace": "b.c"}),
    ),
    ("route.hostnames", route(hostnames=["a"] * 16), route(hostnames=["a"] * 17)),
    ("route.hostnames", route(hostnames=["a" * 253]), route(hostnames=["a" * 254])),
    ("route.hostnames", route(), route(hostnames=[])),
    ("route.pathPrefix", route(pathPrefix="/" + "a" * 511), route(pathPrefix="/" + "a" * 512)),
    ("podTemplate", serving(podTemplate={"spec": {"any": 1}}), serving(podTemplate={"spec": 1})),
]


@pytest.mark.parametrize(("within", "beyond"), [pytest.param(*bound[1:], id=bound[0]) for bound in BOUNDS])
def test_a_bound_is_in_the_model_and_in_the_schema(within: Spec, beyond: Spec) -> None:
    is_training = "trainer" in within
    model = TrainingJobSpec if is_training else ModelDeploymentSpec
    schema = SCHEMAS[TrainingJob if is_training else ModelDeployment]
    model.model_validate(within)
    schema.validate(within)
    with pytest.raises(ValidationError):
        model.model_validate(beyond)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(beyond)


@pytest.mark.parametrize("spec", [training(gpus=2), training(trainer={"image": "x", "gpu": 1})])
def test_a_field_that_is_not_there_is_refused(spec: Spec) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        TrainingJobSpec.model_validate(spec)


def test_what_is_left_out_has_the_documented_default() -> None:
    spec = TrainingJobSpec.model_validate(training())
    assert (spec.suspend, spec.retry.limit) == (False, 2)
    assert (spec.retry.backoff.initial_seconds, spec.retry.backoff.max_seconds) == (10, 300)
    served = ModelDeploymentSpec.model_validate(serving())
    assert (served.replicas, served.paused, served.progress_deadline_seconds) == (1, False, 600)
    assert served.backend is None


@pytest.mark.parametrize("name", [*RESERVED_ENVIRONMENT, *(f"{prefix}X" for prefix in RESERVED_PREFIXES)])
def test_the_operators_own_variables_are_reserved(name: str) -> None:
    assert is_reserved_variable(name)


@pytest.mark.parametrize("name", ["HOME", "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "PARAMETER", "PYTHONPATH"])
def test_other_variables_are_the_users(name: str) -> None:
    assert not is_reserved_variable(name)


@pytest.mark.parametrize(("kind", "path"), [(TrainingJob, "trainer"), (ModelDeployment, "server")])
def test_reserved_variables_are_refused_by_a_rule_that_names_the_field(kind: type, path: str) -> None:
    env = schema_of(kind)["properties"]["spec"]["properties"][path]["properties"]["env"]
    [rule] = env["x-kubernetes-validations"]
    assert f"spec.{path}.env" in rule["message"]
    assert all(name in rule["rule"] for name in (*RESERVED_ENVIRONMENT, *RESERVED_PREFIXES))


@pytest.mark.parametrize(
    "field",
    [
        "trainer",
        "podTemplate",
        "source",
        "parameters",
        "retry.backoff",
        "retry.nonRetryableExitCodes",
        "retry.onOutOfMemory",
        "pendingDeadlineSeconds",
        "queueName",
        "tracking",
        "model",
    ],
)
def test_what_is_fixed_after_the_start_says_so(field: str) -> None:
    messages = [rule["message"] for rule in TrainingJob.rules]
    assert any(message.startswith(f"spec.{field} cannot change") and "delete" in message for message in messages)


@pytest.mark.parametrize("field", ["suspend", "retry.limit"])
def test_what_may_change_is_not_fixed(field: str) -> None:
    assert not any(f"spec.{field} cannot" in rule["message"] for rule in TrainingJob.rules)


@pytest.mark.parametrize("part", ["tracking", "model"])
def test_the_operators_own_tags_are_refused(part: str) -> None:
    fields = schema_of(TrainingJob)["properties"]["spec"]["properties"][part]["properties"]
    [_, rule] = fields["tags"]["items"]["properties"]["name"]["x-kubernetes-validations"]
    assert rule["rule"] == "!self.startsWith('modelyard.io/')"
