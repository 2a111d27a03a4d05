"""Hypothesis strategies: specs as the API server admits them, and worlds in every state, likely or not."""

from typing import Any

from hypothesis import strategies as st

import builders
from modelyard.api import names
from modelyard.core.disagreement import CompareAnswers, Compared
from modelyard.core.model_card import Column, ModelCard, ReadModelCard, Signature
from modelyard.core.plan import Failure, Manifest, Question
from modelyard.core.serving import AskServer, ReadObject, ReadWarning, Ready, Warned
from modelyard.core.tracking import (
    Ended,
    EndRun,
    EnsureRun,
    FindModels,
    GetVersion,
    LoggedModel,
    Metric,
    ReadMetrics,
    RegisteredVersion,
    RegisterVersion,
    ResolveAlias,
    Run,
    TagRun,
)
from modelyard.core.traffic import MeasureTraffic, QueryPrometheus, Traffic

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=6,
)
NAME = st.sampled_from(["a", "data", "trainer", "model", "modelyard-x", "sidecar"])
CONTAINER = st.fixed_dictionaries(
    {},
    optional={
        "name": NAME | JSON,
        "image": TEXT,
        "env": st.lists(st.fixed_dictionaries({"name": NAME | JSON}, optional={"value": TEXT}), max_size=2) | JSON,
        "ports": st.lists(st.fixed_dictionaries({"containerPort": st.integers(1, 9)}), max_size=2) | JSON,
        "volumeMounts": st.lists(st.fixed_dictionaries({"mountPath": TEXT | JSON}), max_size=2) | JSON,
        "securityContext": st.dictionaries(st.sampled_from(["runAsUser", "capabilities", "privileged"]), JSON) | JSON,
    },
)
VOLUME = st.fixed_dictionaries({"name": NAME | JSON}, optional={"emptyDir": JSON})
POD_SPEC = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "containers": st.lists(CONTAINER, max_size=2) | JSON,
        "initContainers": st.lists(CONTAINER, max_size=2) | JSON,
        "volumes": st.lists(st.fixed_dictionaries({"name": NAME | JSON}, optional={"emptyDir": JSON}), max_size=2)
        | JSON,
        "securityContext": st.dictionaries(st.sampled_from(["runAsUser", "sysctls", "fsGroup"]), JSON) | JSON,
        "hostNetwork": JSON,
        "nodeSelector": JSON,
        "serviceAccountName": JSON,
    },
)
LABELS = st.none() | st.dictionaries(st.sampled_from(["team", "modelyard.io/attempt", "app"]), TEXT, max_size=2)
POD_TEMPLATE = st.fixed_dictionaries(
    {}, optional={"metadata": st.fixed_dictionaries({}, optional={"labels": LABELS}), "spec": POD_SPEC}
)
QUANTITY = st.sampled_from(["1Gi", "512Mi", "100k", "1.5G", 1048576, "1e9", "lots", "", 0])
TRAINING_SPEC = st.fixed_dictionaries(
    {
        "trainer": st.fixed_dictionaries(
            {},
            optional={
                "image": TEXT.filter(bool),
                "command": st.lists(TEXT, max_size=2),
                "workingDir": st.just("/src"),
                "env": st.lists(st.fixed_dictionaries({"name": NAME, "value": TEXT}), max_size=2),
                "resources": st.fixed_dictionaries(
                    {"limits": st.dictionaries(st.just("memory"), QUANTITY)},
                    optional={"requests": st.dictionaries(st.just("memory"), QUANTITY)},
                ),
            },
        )
    },
    optional={
        "suspend": st.sampled_from([False, False, True]),
        "podTemplate": st.just({}) | POD_TEMPLATE,
        "source": st.sampled_from(
            [
                {"configMap": {"name": "code"}},
                {"git": {"url": "https://git.example.com/a", "revision": "main", "path": "a/$(b)"}},
                {"git": {"url": "ssh://git@git.example.com/a", "secretRef": {"name": "key"}}},
            ]
        ),
        "parameters": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["a", "A", "b_1"]), "value": TEXT}), max_size=3
        ),
        "retry": st.fixed_dictionaries(
            {},
            optional={
                "limit": st.integers(0, 3),
                "nonRetryableExitCodes": st.lists(st.sampled_from([1, 3, 137]), max_size=2, unique=True),
                "onOutOfMemory": st.fixed_dictionaries(
                    {"maxMemory": st.sampled_from(["0", "2Gi", "100M", "1.5Ti"])},
                    optional={"memoryFactor": st.sampled_from(["1.001", "2", "10.0"])},
                ),
            },
        ),
        "nodes": st.sampled_from([1, 1, 2, 3]),
        "processesPerNode": st.sampled_from([1, 2]),
        "checkpoint": st.fixed_dictionaries(
            {"persistentVolumeClaim": st.just({"claimName": "kept"})},
            optional={"mountPath": st.sampled_from(["/checkpoint", "/src", "/data"])},
        ),
        "mlproject": st.just({"entryPoint": "main"}),
        "prepare": st.fixed_dictionaries({}, optional={"args": st.lists(TEXT, max_size=2), "image": st.just("mine:1")}),
        "datasets": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["a", "A.b", "a-b"]), "uri": st.sampled_from(["s3://a/$(b)", "/data"])},
                optional={"digest": st.just("sha256:" + "0" * 64)},
            ),
            max_size=3,
            unique_by=lambda item: item["name"],
        ),
        "activeDeadlineSeconds": st.sampled_from([1, 50, 10000]),
        "pendingDeadlineSeconds": st.sampled_from([1, 50, 10000]),
        "ttlSecondsAfterFinished": st.sampled_from([0, 3600]),
        "queueName": st.just("gpus"),
        "tracking": st.fixed_dictionaries({}, optional={"metrics": st.lists(TEXT.filter(bool), max_size=2)}),
        "model": st.fixed_dictionaries(
            {"name": st.just("digits")},
            optional={
                "artifact": st.sampled_from(["model", "other"]),
                "register": st.sampled_from(["OnSuccess", "Never"]),
                "aliases": st.lists(st.just("candidate"), max_size=1),
            },
        ),
    },
)
SERVING_SPEC = st.fixed_dictionaries(
    {
        "model": st.sampled_from(
            [{"name": "digits", "alias": "champion"}, {"name": "digits", "version": "2"}, {"name": "d", "version": "1"}]
        )
    },
    optional={
        "backend": st.sampled_from(["SeldonDeployment", "Deployment"]),
        "podTemplate": st.just({}) | POD_TEMPLATE,
        "replicas": st.sampled_from([1, 2, 0]),
        "paused": st.sampled_from([False, False, False, True]),
        "progressDeadlineSeconds": st.integers(10, 700),
        "server": st.fixed_dictionaries({}, optional={"env": st.lists(st.just({"name": "HOME", "value": "/x"}))}),
    },
)

POD_STATES = st.sampled_from(
    [
        lambda pod: pod,
        lambda pod: pod.starting(),
        lambda pod: pod.running(),
        lambda pod: pod.running().started(100),
        lambda pod: pod.succeeded(),
        lambda pod: pod.failed(3, "Traceback: no"),
        lambda pod: pod.failed(1, '{"reason": "Bad Reason!", "message": "\\u0000"}'),
        lambda pod: pod.out_of_memory(),
        lambda pod: pod.evicted(),
        lambda pod: pod.disrupted("DeletionByTaintManager"),
        lambda pod: pod.unschedulable(),
        lambda pod: pod.without_image(),
        lambda pod: pod.crashing("no" * 2000),
        lambda pod: pod.with_failed_helper("modelyard-fetch", "ModelIncomplete", "no file"),
        lambda pod: pod.preparing(),
        lambda pod: pod.running().fetched("ab" * 20),
        lambda pod: pod.failed().fetched("not a commit"),
        lambda pod: pod.failed_to_prepare(2, "no such file"),
        lambda pod: pod.running().terminating(),
        lambda pod: pod.disrupted("PreemptionByScheduler").changed("status", "phase", to="Running").terminating(),
    ]
)
JOB_STATES = st.sampled_from(
    [
        lambda job: job.changed("spec", to={"suspend": True}),
        lambda job: job,
        lambda job: job.complete(),
        lambda job: job.failed(),
        lambda job: job.failed(60),
    ]
)
SPOILED = st.sampled_from([None, None, None, "999999999999", "-1", "x", ""])


@st.composite
def jobs_and_pods(draw: st.DrawFn, resource: Manifest) -> tuple[list[Manifest], list[Manifest]]:
    """Children of the first attempts; labels may be spoiled."""
    jobs, pods = [], []
    for attempt in range(1, draw(st.sampled_from([1, 0, 2, 3])) + 1):
        job = draw(JOB_STATES)(builders.make_job(resource, attempt)).build()
        if (label := draw(SPOILED)) is not None:
            job["metadata"]["labels"][names.LABEL_ATTEMPT] = label
        jobs += [job] if draw(st.integers(0, 4)) else []
        nodes = resource["spec"].get("nodes", 1)
        for index in range(nodes):
            made = builders.make_pod(resource, attempt, index if nodes > 1 else None)
            pods += [draw(POD_STATES)(made).build()] if draw(st.integers(0, 3)) else []
    return jobs, pods


FAILURES = st.builds(
    Failure, st.sampled_from(["TrackingUnavailable", "AccessDenied"]), TEXT, is_transient=st.booleans()
)
METRICS = st.builds(Metric, TEXT, st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 9))
MODELS = st.builds(
    LoggedModel,
    st.just("m-1"),
    st.sampled_from(["model", "other"]),
    st.sampled_from(["READY", "PENDING", "UPLOAD_FAILED"]),
)
TAGS = st.lists(st.tuples(st.sampled_from([names.TAG_NAMESPACE, names.TAG_TRAINING_JOB]), TEXT), max_size=2).map(tuple)
VERSIONS = st.builds(
    RegisteredVersion,
    st.just("digits"),
    st.sampled_from(["1", "2"]),
    st.none() | st.just("m-1"),
    st.none() | TEXT,
    TAGS,
)
COLUMNS = st.lists(st.builds(Column, TEXT, st.sampled_from(["double", "long", "string"]), st.booleans()), max_size=3)
CARDS = st.builds(
    ModelCard,
    flavours=st.lists(TEXT, max_size=2).map(tuple),
    loader=st.none() | st.sampled_from(["mlflow.sklearn", "mlflow.torch", "theirs"]),
    python=st.none() | st.sampled_from(["3.11.7", "3.12.1", "x"]),
    mlflow=st.none() | st.sampled_from(["3.17.2", "4.0.0"]),
    is_pickled=st.booleans(),
    signature=st.none() | st.builds(Signature, COLUMNS.map(tuple), COLUMNS.map(tuple)),
)
ANSWERS: dict[type, st.SearchStrategy[Any]] = {
    EnsureRun: st.just(Run("run-1", "7")),
    TagRun: st.none(),
    EndRun: st.just(Ended("RUNNING")),
    FindModels: st.lists(MODELS, max_size=2).map(tuple),
    RegisterVersion: VERSIONS,
    ReadMetrics: st.lists(METRICS, max_size=2, unique_by=lambda item: item.name).map(tuple),
    ResolveAlias: VERSIONS | st.none(),
    GetVersion: VERSIONS | st.none(),
    ReadModelCard: CARDS | st.none(),
    AskServer: st.just(Ready()),
    MeasureTraffic: st.builds(
        Traffic, st.integers(0, 1000), st.integers(0, 1000), st.none() | st.floats(0, 10), st.floats(0, 60)
    ),
    CompareAnswers: st.builds(Compared, st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 60)),
    QueryPrometheus: st.none() | st.floats(allow_nan=True, allow_infinity=True),
    ReadObject: st.none(),
    ReadWarning: st.none() | st.builds(Warned, st.sampled_from(["FailedCreate", "FailedMount", "x"]), TEXT),
}


@st.composite
def answers(draw: st.DrawFn) -> dict[type, Any]:
    """What each kind of question is answered with; a failure now and then."""
    return {
        kind: draw(FAILURES) if kind is not ReadObject and draw(st.integers(0, 9)) == 9 else draw(found)
        for kind, found in ANSWERS.items()
    }


def answer(known: dict[type, Any], question: Question) -> Any:
    """The answer to one question."""
    return known[type(question)]


@st.composite
def served_objects(draw: st.DrawFn, resource: Manifest) -> tuple[list[Manifest], list[Manifest]]:
    """What a backend left: rendered, half done, or with someone else's word in it."""
    backend = draw(st.sampled_from(["SeldonDeployment", "Deployment"]))
    backend = resource["spec"].get("backend", backend)
    version, objects = draw(st.sampled_from(["1", "2"])), []
    plain = resource | {"spec": {"model": {"name": "digits", "version": version}}}
    if draw(st.integers(0, 3)):
        objects = builders.applied(plain, version, builders.make_context(), backend)
        if backend == "SeldonDeployment" and draw(st.booleans()):
            objects.append(builders.make_seldon_child(plain, draw(st.sampled_from(["1", "2"]))).build())
        for item in objects:
            if item["kind"] == "Deployment":
                count = st.integers(0, 2)
                replicas, updated, available = draw(count), draw(count), draw(count)
                made = builders.DeploymentBuilder(item)
                counted = made.with_counts(replicas, updated, available) if draw(st.booleans()) else made.rolled_out()
                item["status"] = counted.build()["status"]
            if draw(st.integers(0, 9)) == 0:
                item["metadata"]["ownerReferences"] = []
    pods = [
        draw(POD_STATES)(builders.make_serving_pod(resource, draw(st.sampled_from(["1", "2"])))).build()
        for _ in range(draw(st.integers(0, 2)))
    ]
    return objects, pods
