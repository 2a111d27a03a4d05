"""The serving pod: fetch exactly one version, check it, and only then start the server. The same for every backend."""

from typing import Any

from modelyard.api import names
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core import metadata, pod_policy, pods
from modelyard.core.context import Context
from modelyard.core.disagreement import KEY_VARIABLE, key_of
from modelyard.core.model_deployment.layout import Predictor
from modelyard.core.model_deployment.protocol import (
    GRPC_PORT,
    HTTP_PORT,
    METRICS_PORT,
    MODEL,
    MODEL_FOLDER,
    image_of,
    protocol_of,
    version_environment,
)
from modelyard.core.plan import Manifest

SERVER = MODEL
"""The server container's name."""
FETCHER = "modelyard-fetch"
"""The init container that downloads a version."""
_START_PERIOD_SECONDS = 1
"""A version that starts is looked at as often as a kubelet can: it answers clients that much sooner."""
_READY_PERIOD_SECONDS = 2
_DRAIN_SECONDS = 10
"""How long a pod that is going away still answers: until every node knows."""


def predictor_labels(resource: Manifest, predictor: str) -> dict[str, str]:
    """Labels of one predictor's pods, whatever version they serve: what selects them."""
    return metadata.owner_labels(resource) | {names.LABEL_PREDICTOR: predictor}


def pod_labels(resource: Manifest, predictor: Predictor) -> dict[str, str]:
    """Labels of one predictor's pods at its version."""
    return predictor_labels(resource, predictor.name) | {names.LABEL_MODEL_VERSION: predictor.version}


def template_labels(resource: Manifest, spec: ModelDeploymentSpec, predictor: Predictor) -> dict[str, str]:
    """The user's labels with the operator's."""
    given = spec.pod_template.metadata if spec.pod_template else None
    return ((given.labels if given else None) or {}) | pod_labels(resource, predictor)


def template_annotations(spec: ModelDeploymentSpec) -> dict[str, str]:
    """The user's annotations."""
    given = spec.pod_template.metadata if spec.pod_template else None
    return (given.annotations if given else None) or {}


def build_pod_spec(resource: Manifest, spec: ModelDeploymentSpec, version: str, context: Context) -> pods.PodSpec:
    """The pod spec for one version; credentials for MLflow are in the init container only."""
    tracking = pods.tracking_environment(context, resource["metadata"]["namespace"])
    server, fetcher = _server(spec, version, context), _fetcher(spec, version, context, tracking)
    server["env"] += _comparing(resource, spec)
    pod = pods.merged_spec(spec.pod_template, server, [fetcher])
    pod["volumes"] = [*pod["volumes"], {"name": "modelyard-model", "emptyDir": {}}, *pods.ca_volumes(context)]
    pod.setdefault("terminationGracePeriodSeconds", 30)
    return pod_policy.enforced(context.serving_pods, pod)


def spread(spec: pods.PodSpec, resource: Manifest, predictor: Predictor) -> pods.PodSpec:
    """The pod spec with one predictor's pods kept apart, on nodes and in zones where there are several."""
    selector = {"matchLabels": predictor_labels(resource, predictor.name)}
    apart = [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]
    return {"topologySpreadConstraints": apart} | spec


def _fetcher(
    spec: ModelDeploymentSpec, version: str, context: Context, tracking: list[dict[str, Any]]
) -> pods.Container:
    """The init container that downloads one version and checks that it is whole."""
    return {
        "name": FETCHER,
        "image": context.fetcher_image,
        "imagePullPolicy": context.image_pull_policy,
        "args": ["model", "--name", spec.model.name, "--version", version, "--to", MODEL_FOLDER],
        "env": tracking,
        "resources": pods.HELPER_RESOURCES,
        "volumeMounts": [{"name": "modelyard-model", "mountPath": MODEL_FOLDER}, *pods.ca_mounts(context)],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _server(spec: ModelDeploymentSpec, version: str, context: Context) -> pods.Container:
    """The container that answers predictions."""
    given, paths = spec.server.model_dump(by_alias=True, exclude_none=True, exclude={"protocol"}), protocol_of(spec)
    own = version_environment(spec, version) | {"HOME": "/tmp"}  # noqa: S108 - the pod's own
    users = [variable for variable in given.get("env", []) if variable["name"] != "HOME"]
    return given | {
        "name": SERVER,
        "image": image_of(spec, context),
        "imagePullPolicy": context.image_pull_policy,
        "env": [*users, *({"name": name, "value": value} for name, value in own.items())],
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": _probe(paths.ready_path, _START_PERIOD_SECONDS)
        | {"failureThreshold": max(1, spec.progress_deadline_seconds // _START_PERIOD_SECONDS)},
        "readinessProbe": _probe(paths.ready_path, _READY_PERIOD_SECONDS),
        "livenessProbe": _probe(paths.live_path, 10),
        "lifecycle": {"preStop": {"exec": {"command": ["/bin/sh", "-c", f"/bin/sleep {_DRAIN_SECONDS}"]}}},
        "volumeMounts": [{"name": "modelyard-model", "mountPath": MODEL_FOLDER, "readOnly": True}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _comparing(resource: Manifest, spec: ModelDeploymentSpec) -> list[dict[str, str]]:
    """What lets the server tell whether its answers are those of another; only where spec asks for it."""
    analysis = spec.rollout.analysis
    is_wanted = analysis is not None and any(metric.builtin == "Disagreement" for metric in analysis.metrics)
    return [{"name": KEY_VARIABLE, "value": key_of(resource)}] if is_wanted else []


def _probe(path: str, period_seconds: int) -> dict[str, Any]:
    """An HTTP probe on the server's port."""
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": period_seconds, "timeoutSeconds": 5}
