"""What a training does in MLflow, and what tests want to know of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

from mlflow import MlflowClient
from mlflow.utils.workspace_context import WorkspaceContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

OWNER_TAG = "modelyard.io/trainingjob-uid"
ATTEMPT_TAG = "modelyard.io/attempt"


class Tracking:
    """One MLflow server, or one workspace of it, as a person with a notebook sees it."""

    def __init__(self, uri: str, workspace: str = "") -> None:
        self.uri = uri
        client = MlflowClient(uri, uri)
        self.client: MlflowClient = cast("MlflowClient", _Inside(client, workspace)) if workspace else client

    def make_workspace(self, name: str) -> Tracking:
        """What an administrator of MLflow does, and what there is in it."""
        self.client.create_workspace(name)
        return Tracking(self.uri, name)

    def runs_of(self, owner_uid: str) -> list[Run]:
        """Every run of a TrainingJob in any experiment, oldest attempt first."""
        experiments = [item.experiment_id for item in self.client.search_experiments()]
        found = self.client.search_runs(experiments, f"tags.`{OWNER_TAG}` = '{owner_uid}'")
        return sorted(found, key=lambda run: int(run.data.tags.get(ATTEMPT_TAG, "0")))

    def open_runs(self) -> dict[str, dict[str, str]]:
        """Runs that have not ended, whoever made them, with their tags."""
        experiments = [item.experiment_id for item in self.client.search_experiments()]
        found = self.client.search_runs(experiments, "attributes.status = 'RUNNING'")
        return {run.info.run_id: run.data.tags for run in found}

    def run(self, run_id: str) -> Run:
        """One run."""
        return self.client.get_run(run_id)

    def log_metric(self, run_id: str, name: str, value: float, step: int = 0) -> None:
        """What `mlflow.log_metric` does."""
        self.client.log_metric(run_id, name, value, step=step)

    def log_model(self, run_id: str, name: str = "model", status: str = "READY") -> str:
        """What `log_model` leaves behind, without the seconds it takes to make a model; its id."""
        experiment = self.run(run_id).info.experiment_id
        model = self.client.create_logged_model(experiment, name=name, source_run_id=run_id)
        if status != "PENDING":
            self.client.finalize_logged_model(model.model_id, status)
        return str(model.model_id)

    def register(self, name: str, model_id: str, run_id: str) -> str:
        """What code does that registers its model itself; the version."""
        self.client.create_registered_model(name)
        return str(self.client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id).version)

    def make_version(self, name: str, folder: str | None = None, **metrics: float) -> str:
        """A version that nobody of ours trained, with the files of a folder and metrics of its run; its number."""
        if not self.client.search_registered_models(f"name='{name}'"):
            self.client.create_registered_model(name)
        experiment = self.client.get_experiment_by_name("by hand")
        experiment_id = experiment.experiment_id if experiment else self.client.create_experiment("by hand")
        run_id = self.client.create_run(experiment_id).info.run_id
        model_id = self.log_model(run_id)
        if folder is not None:
            self.client.log_model_artifacts(model_id, folder)
        for metric, value in metrics.items():
            self.log_metric(run_id, metric, value)
        self.client.set_terminated(run_id)
        return str(self.client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id).version)

    def point(self, name: str, alias: str, version: str) -> None:
        """Set an alias."""
        self.client.set_registered_model_alias(name, alias, version)

    def holder(self, name: str, alias: str = "champion") -> str | None:
        """The version that an alias points at."""
        aliases = self.client.get_registered_model(name).aliases
        return str(aliases[alias]) if alias in aliases else None

    def tags_of(self, name: str, version: str) -> dict[str, str]:
        """The tags of a version."""
        return dict(self.client.get_model_version(name, version).tags)

    def versions_of(self, name: str) -> list[ModelVersion]:
        """Every version of a registered model."""
        return list(self.client.search_model_versions(f"name='{name}'"))


class _Inside:
    """MLflow's client, with each call in one workspace."""

    def __init__(self, client: MlflowClient, workspace: str) -> None:
        self._client = client
        self._workspace = workspace

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def inside(*arguments: Any, **options: Any) -> Any:
            with WorkspaceContext(self._workspace):
                return call(*arguments, **options)

        return inside


def run_training_code(code: str, environment: dict[str, str]) -> None:
    """Run a user's script with the variables that its pod would get, as a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, env=kept | settings | environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def variables_of(pod: dict[str, Any]) -> dict[str, str]:
    """The plain variables of a pod's main container."""
    items = pod["spec"]["containers"][0]["env"]
    return {item["name"]: item["value"] for item in items if "value" in item}


def run_context_of(pod: dict[str, Any]) -> dict[str, str]:
    """The tags that a pod gives to runs that its code starts by itself."""
    found: dict[str, str] = json.loads(variables_of(pod)["MLFLOW_RUN_CONTEXT"])
    return found
