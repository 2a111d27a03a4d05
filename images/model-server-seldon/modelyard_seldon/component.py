"""The model as a component of Seldon's Python package."""

import json
import logging
import os
import threading

import mlflow.pyfunc
import yaml
from mlflow.exceptions import MlflowException
from mlflow.utils.proto_json_utils import NumpyEncoder
from seldon_core.flask_utils import SeldonMicroserviceException
from seldon_core.proto.prediction_pb2 import SeldonMessage
from seldon_core.user_model import SeldonComponent
from seldon_core.utils import get_request_path, json_to_seldon_message, seldon_message_to_json

from modelyard_seldon import messages
from modelyard_seldon.messages import BadMessage, Message

logger = logging.getLogger(__name__)

FOLDER = os.environ.get("MODELYARD_MODEL_FOLDER", "/mnt/models")


class Unmeasured:
    """Takes the metrics that a component may hand out with its answers: this one has none, and no process for them."""

    def update(self, _metrics: list[Message], _method: str) -> None:
        """Nothing to keep."""

    def update_reward(self, _reward: float) -> None:
        """Nothing to keep."""


class Model(SeldonComponent):
    """Answers for an MLflow model; its predictions take turns unless told otherwise, as few models promise more."""

    def __init__(self, at_once: int) -> None:
        super().__init__()
        self._turns = threading.BoundedSemaphore(at_once)
        self.version = _version_by_the_environment()

    def load(self) -> None:
        """Read the model, before anything is asked; raises whatever its flavour raises."""
        self._model = mlflow.pyfunc.load_model(FOLDER)

    def predict_raw(self, message: Message | SeldonMessage) -> Message | SeldonMessage:
        """Predictions, for REST and for gRPC. Not `predict`: the package would make text of rows with text in them."""
        if not isinstance(message, SeldonMessage):
            return self._answer(message)
        try:
            answer = self._answer(seldon_message_to_json(message))
        except SeldonMicroserviceException as error:
            answer = error.to_dict()
        return json_to_seldon_message(json.loads(json.dumps(answer, cls=NumpyEncoder)))

    def init_metadata(self) -> Message:
        """What is told at /metadata; the package puts the variable MODEL_METADATA over it, which names the version."""
        signature = self._model.metadata.signature
        told = {"name": "model", "versions": [], "platform": "mlflow"}
        inputs, outputs = (signature.inputs, signature.outputs) if signature else (None, None)
        return told | {"inputs": messages.describe(inputs), "outputs": messages.describe(outputs)}

    def _answer(self, message: Message) -> Message:
        """Predictions; what the client did wrong is told as such, all else is the model's."""
        try:
            given, params = messages.read(message, self._model.metadata.get_input_schema())
            with self._turns:
                found = self._model.predict(given, params=params)
        except BadMessage as error:
            raise SeldonMicroserviceException(str(error)) from error
        except MlflowException as error:
            if error.get_http_status_code() >= 500:
                raise
            raise SeldonMicroserviceException(error.message) from error
        except Exception:
            logger.exception("the model raised")
            raise
        return messages.write(found, message) | {"meta": self._meta(message.get("meta"))}

    def _meta(self, given: object) -> Message:
        """The request's own, and who answered."""
        meta = dict(given) if isinstance(given, dict) else {}
        tags = meta.get("tags") if isinstance(meta.get("tags"), dict) else {}
        version = {"model_version": self.version} if self.version else {}
        path = get_request_path()
        return meta | {"tags": tags | version} | ({"requestPath": path} if path else {})


def _version_by_the_environment() -> str | None:
    """The version that MODEL_METADATA names, the variable that the package puts over a component's own metadata."""
    try:
        found = yaml.safe_load(os.environ.get("MODEL_METADATA") or "{}")
        return str(found["versions"][0])
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return None
