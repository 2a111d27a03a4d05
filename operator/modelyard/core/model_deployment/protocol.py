"""The protocols that a model server speaks: where it is asked, and what tells it its version and ports."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from modelyard.api.model_deployment import ModelDeploymentSpec, ProtocolName
from modelyard.core.context import Context

MODEL = "model"
"""The model's name in URLs, the same on every server that we start."""
HTTP_PORT, GRPC_PORT, METRICS_PORT = 9000, 9500, 6000
METRICS_PATH = "/prometheus"
MODEL_FOLDER = "/mnt/models"


@dataclass(frozen=True)
class Protocol:
    """Paths of one protocol."""

    name: ProtocolName
    predict_path: str
    ready_path: str
    """Answers 200 once the model is loaded; which version it is, a path of its own tells."""
    live_path: str


_PROTOCOLS: Mapping[ProtocolName, Protocol] = {
    "v2": Protocol("v2", f"/v2/models/{MODEL}/infer", f"/v2/models/{MODEL}/ready", "/v2/health/live"),
    "seldon": Protocol("seldon", "/api/v1.0/predictions", "/health/status", "/health/ping"),
}


def protocol_of(spec: ModelDeploymentSpec) -> Protocol:
    """The protocol that spec asks for."""
    return _PROTOCOLS[spec.server.protocol]


def image_of(spec: ModelDeploymentSpec, context: Context) -> str:
    """The image that is to serve: the one in spec, or the release's for the protocol."""
    released = {"v2": context.server_image, "seldon": context.seldon_server_image}
    return spec.server.image or released[spec.server.protocol]


def version_environment(spec: ModelDeploymentSpec, version: str) -> dict[str, str]:
    """Variables that tell a server which version it has; Seldon's Python package puts this one into its answers."""
    if spec.server.protocol == "seldon":
        told = {"name": MODEL, "versions": [version], "platform": "mlflow"}
        return {"MODEL_METADATA": json.dumps(told, separators=(",", ":"))}
    return {
        "MLSERVER_MODEL_IMPLEMENTATION": "mlserver_mlflow.MLflowRuntime",
        "MLSERVER_MODEL_URI": MODEL_FOLDER,
        "MLSERVER_MODEL_VERSION": version,
        "MLSERVER_PARALLEL_WORKERS": "0",
    }


def port_environment(spec: ModelDeploymentSpec) -> dict[str, str]:
    """Variables by which Seldon tells a server its name and ports; without Seldon they are told by us."""
    if spec.server.protocol == "seldon":
        return {
            "PREDICTIVE_UNIT_ID": MODEL,
            "PREDICTIVE_UNIT_HTTP_SERVICE_PORT": str(HTTP_PORT),
            "PREDICTIVE_UNIT_GRPC_SERVICE_PORT": str(GRPC_PORT),
            "PREDICTIVE_UNIT_METRICS_SERVICE_PORT": str(METRICS_PORT),
            "PREDICTIVE_UNIT_METRICS_ENDPOINT": METRICS_PATH,
        }
    return {
        "MLSERVER_MODEL_NAME": MODEL,
        "MLSERVER_HTTP_PORT": str(HTTP_PORT),
        "MLSERVER_GRPC_PORT": str(GRPC_PORT),
        "MLSERVER_METRICS_PORT": str(METRICS_PORT),
        "MLSERVER_METRICS_ENDPOINT": METRICS_PATH,
    }
