"""System metrics of a run: the trainer's own command, with MLflow's client and with psutil, or without."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.tracking import variables_of
from support.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from support.kube import Manifest
    from support.world import World

pytestmark = pytest.mark.api

CODE = "import mlflow, time; mlflow.start_run(); mlflow.log_metric('loss', 0.5); time.sleep(2.5)"
TRAINER = {
    "command": [sys.executable, "-W", "ignore", "-c", CODE],
    "env": [{"name": "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "value": "1"}],
}


def run_trainer(pod: Manifest, **more: str) -> str:
    """Run the pod's own command as a process; what it said."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    command = pod["spec"]["containers"][0]["command"]
    done = subprocess.run(
        command, env=kept | variables_of(pod) | more, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def ended(world: World, pod: Manifest, training: Training) -> tuple[set[str], str]:
    """The run's metrics and what is said of it, once all is over."""
    world.kubelet.succeed(pod)
    training.until_over()
    metrics = set(world.tracking.run(training.run_id()).data.metrics)
    return metrics, training.condition("Tracked")["message"]


def test_the_run_has_metrics_of_its_pod(world: World) -> None:
    training = Training(world, trainer=TRAINER, tracking={"systemMetrics": True})
    pod = training.start()
    run_trainer(pod)
    metrics, told = ended(world, pod, training)
    assert {"loss", "system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= metrics
    assert "system metrics" not in told


def test_without_psutil_it_trains_all_the_same_and_says_what_is_missing(world: World, tmp_path: Path) -> None:
    (tmp_path / "psutil.py").write_text("raise ImportError('not in this image')\n")
    training = Training(world, trainer=TRAINER, tracking={"systemMetrics": True})
    pod = training.start()
    said = run_trainer(pod, PYTHONPATH=str(tmp_path))
    assert "spec.tracking.systemMetrics" in said
    assert "has no psutil: add it to the image" in said
    metrics, told = ended(world, pod, training)
    assert metrics == {"loss"}
    assert "it has no system metrics: the pod's log says whether its image lacks psutil" in told
    assert training.condition("Complete")["status"] == "True"
