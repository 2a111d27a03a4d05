"""One question's way to MLflow."""

import time

from mlflow import MlflowClient

from modelyard.adapters.mlflow.config import MlflowConfig
from modelyard.adapters.mlflow.failures import TRACKING_UNAVAILABLE, Unreachable
from modelyard.core.plan import Failure


class Connection:
    """MLflow's client with the question's deadline: nobody waits for what comes after it."""

    def __init__(self, config: MlflowConfig, deadline: float) -> None:
        self._config = config
        self._deadline = deadline
        self._client = MlflowClient(tracking_uri=config.uri, registry_uri=config.uri)

    @property
    def client(self) -> MlflowClient:
        """The client, for one call.

        Raises:
            Unreachable: the question's deadline has passed.
        """
        self._check_time()
        return self._client

    @property
    def uri(self) -> str:
        """Where MLflow is, for one request that its client has no call for.

        Raises:
            Unreachable: the question's deadline has passed.
        """
        self._check_time()
        return self._config.uri

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise Unreachable(too_slow(self._config))


def too_slow(config: MlflowConfig) -> Failure:
    """The answer when the time is over."""
    message = f"MLflow at {config.shown_uri} did not answer within {config.deadline_seconds:g} seconds."
    return Failure(TRACKING_UNAVAILABLE, message)
