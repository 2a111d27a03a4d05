"""Trainings that end-to-end tests run."""

from typing import Any

from support.yard import Yard

SLEEPER = """
import time, mlflow
with mlflow.start_run():
    mlflow.log_metric("begun", 1)
    print("training", flush=True)
    time.sleep({seconds})
    mlflow.log_metric("done", 1)
"""


def code(name: str, script: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"train.py": script}}


def training_job(name: str, **spec: Any) -> dict[str, Any]:
    trainer = {"command": ["python3", "train.py"]} | spec.pop("trainer", {})
    return {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {"name": name},
        "spec": {"trainer": trainer, "source": {"configMap": {"name": name}}} | spec,
    }


def start_sleeper(yard: Yard, seconds: int, **spec: Any) -> str:
    """A training that takes its time, running; its run's id."""
    yard.apply([code("sleeper", SLEEPER.format(seconds=seconds)), training_job("sleeper", **spec)])

    def runs() -> bool:
        return yard.condition("trainingjob", "sleeper", "Complete").get("reason") == "Running"

    yard.until(runs, "the training runs", 180)
    run_id: str = yard.get("trainingjob", "sleeper")["status"]["tracking"]["runID"]
    return run_id
