"""What no schema can know of a pod's fields: within 10 seconds a condition names the field; mended, it goes on."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.messages import Messages
from support.serving import Serving
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

COMMAND = {"command": ["python3", "train.py"]}
SIDE = {"name": "side", "image": "x"}
ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "trainer.env[].valueFrom": ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}, "key"),
    "trainer.envFrom[]": ({"envFrom": [{"secretRef": {"name": "No Name"}}]}, "envFrom[0].secretRef.name"),
    "trainer.volumeMounts[]": ({"volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}, "nowhere"),
}
"""A field that the API server judges only once there is a pod: what is wrong of it, and what has to be named."""
TEMPLATES: dict[str, tuple[dict[str, Any], str]] = {
    "podTemplate.spec with a bad port": ({"containers": [SIDE | {"ports": [{"containerPort": 70000}]}]}, "70000"),
    "podTemplate.spec with a bad label": ({"nodeSelector": {"a": "b c"}}, "b c"),
    "podTemplate.spec of another shape": ({"tolerations": "all"}, "tolerations"),
}


@pytest.fixture(scope="module")
def messages(request: pytest.FixtureRequest) -> Iterator[Messages]:
    book = Messages("cluster", is_update=bool(request.config.getoption("--update-golden")))
    yield book
    book.keep()


@pytest.mark.parametrize("field", [*ROWS, *TEMPLATES])
def test_a_training_names_it_and_goes_on_once_it_is_mended(world: World, messages: Messages, field: str) -> None:
    if field in ROWS:
        bad, named = ROWS[field]
        spec: dict[str, Any] = {"trainer": COMMAND | bad}
    else:
        template, named = TEMPLATES[field]
        spec = {"podTemplate": {"spec": template}}
    training = Training(world, **spec)
    said = training.until_invalid()
    assert named in said
    messages.check("TrainingJob", field.split(maxsplit=1)[0], field, said)
    assert training.jobs() == []
    world.patch(
        "TrainingJob",
        "digits",
        trainer=COMMAND | {name: None for name in spec.get("trainer", {}) if name != "command"},
        podTemplate=None,
    )
    world.kubelet.succeed(training.start())
    training.until_over()
    assert training.status["attempt"] == 1


REFUSED_PODS: dict[str, tuple[dict[str, Any], str]] = {
    "priorityClassName": ({"priorityClassName": "nope"}, "priorityClassName: there is no PriorityClass nope"),
    "serviceAccountName": ({"serviceAccountName": "nope"}, "serviceAccountName: there is no ServiceAccount nope"),
    "runtimeClassName": ({"runtimeClassName": "nope"}, "runtimeClassName: there is no RuntimeClass nope"),
}
"""What the API server refuses once it is asked for a pod: by then the Job is there and an attempt has begun."""


@pytest.mark.parametrize("field", REFUSED_PODS)
def test_what_its_pods_are_refused_for_is_named_within_10_seconds(world: World, messages: Messages, field: str) -> None:
    template, named = REFUSED_PODS[field]
    training = Training(world, podTemplate={"spec": template})
    world.until(lambda: named in training.condition("Complete").get("message", ""), f"{named} is named", 10)
    assert training.status["problem"] == "PodsRefused"
    messages.check("TrainingJob", "podTemplate.spec", field, training.condition("Complete")["message"])


def test_what_a_limit_range_refuses_is_named_and_once_it_is_lifted_it_goes_on(world: World, messages: Messages) -> None:
    limits = [{"type": "Container", "max": {"memory": "1Gi"}}]
    place = f"/api/v1/namespaces/{world.namespace}/limitranges"
    world.kube.send("POST", place, {"metadata": {"name": "small"}, "spec": {"limits": limits}})
    training = Training(world, trainer=COMMAND | {"resources": {"limits": {"memory": "2Gi"}}})
    named = "spec.trainer.resources"
    world.until(lambda: named in training.condition("Complete").get("message", ""), f"{named} is named", 10)
    messages.check("TrainingJob", "trainer.resources", "LimitRange", training.condition("Complete")["message"])
    world.kube.send("DELETE", f"{place}/small")
    world.kubelet.succeed(training.pod(seconds=90))
    training.until_over()


SERVED: dict[str, tuple[dict[str, Any], str]] = {
    "podTemplate.spec of another shape": ({"podTemplate": {"spec": {"tolerations": "all"}}}, "tolerations"),
    "server.env[].valueFrom": (
        {"server": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}},
        "key",
    ),
    "server.envFrom[]": ({"server": {"envFrom": [{"secretRef": {"name": "No Name"}}]}}, "envFrom[0].secretRef.name"),
    "podTemplate.spec": ({"podTemplate": {"spec": {"nodeSelector": {"a": "b c"}}}}, "b c"),
}


@pytest.mark.parametrize("field", SERVED)
def test_a_server_names_it_and_goes_on_once_it_is_mended(world: World, messages: Messages, field: str) -> None:
    name = f"{world.namespace}.digits"
    world.tracking.point(name, "champion", world.tracking.make_version(name))
    bad, named = SERVED[field]
    serving = Serving(world, model={"name": name, "alias": "champion"}, **bad)
    world.until(lambda: named in serving.condition("Ready").get("message", ""), f"{named} is named", 10)
    said = serving.condition("Ready")["message"].replace(world.namespace, "<namespace>")
    messages.check("ModelDeployment", field.split(maxsplit=1)[0], field, said)
    world.patch("ModelDeployment", "digits", **dict.fromkeys(bad))
    serving.come_up("1")
