"""What `helm test` runs: makes a TrainingJob, waits until it is complete, says which run it has and deletes it.

One that does not get there is left for a look at it; the next test takes it away first.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, PLURAL = "modelyard.io", "v1alpha1", "trainingjobs"
PERIOD_SECONDS = 1.0
GONE_SECONDS = 60.0
REQUEST_SECONDS = 10

TrainingJob = dict[str, Any]


class TestFailedError(Exception):
    """Says what went wrong."""


class Jobs:
    """One TrainingJob in the cluster."""

    def __init__(self, api: client.CustomObjectsApi, manifest: TrainingJob) -> None:
        self.api = api
        self.manifest = manifest
        self.name = manifest["metadata"]["name"]
        self.namespace = manifest["metadata"]["namespace"]
        self.where = (GROUP, VERSION, self.namespace, PLURAL)

    def create(self) -> None:
        """Make it."""
        self.api.create_namespaced_custom_object(*self.where, self.manifest, _request_timeout=REQUEST_SECONDS)

    def get(self) -> TrainingJob | None:
        """As it is now, or None."""
        try:
            found: TrainingJob = self.api.get_namespaced_custom_object(
                *self.where, self.name, _request_timeout=REQUEST_SECONDS
            )
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def delete(self) -> None:
        """Delete it, if it is there."""
        try:
            self.api.delete_namespaced_custom_object(*self.where, self.name, _request_timeout=REQUEST_SECONDS)
        except ApiException as error:
            if error.status != 404:
                raise


def run(jobs: Jobs, timeout_seconds: float) -> str:
    """Make it and wait for its end; returns the MLflow run's id."""
    remove(jobs)
    jobs.create()
    print(f"made TrainingJob {jobs.namespace}/{jobs.name}", flush=True)
    deadline = time.monotonic() + timeout_seconds
    seen = ""
    while True:
        job = jobs.get()
        if job is None:
            raise TestFailedError(f"somebody deleted TrainingJob {jobs.namespace}/{jobs.name}")
        seen = tell_progress(job, seen)
        if is_true(job, "Complete"):
            return run_id_of(job)
        if has_failed(job) or time.monotonic() > deadline:
            outcome = "failed" if has_failed(job) else f"is not complete after {timeout_seconds:g} s"
            raise TestFailedError(f"TrainingJob {jobs.namespace}/{jobs.name} {outcome}\n{described(job)}")
        time.sleep(PERIOD_SECONDS)


def remove(jobs: Jobs) -> None:
    """Take away what an earlier test left."""
    jobs.delete()
    deadline = time.monotonic() + GONE_SECONDS
    while jobs.get() is not None:
        if time.monotonic() > deadline:
            raise TestFailedError(
                f"the TrainingJob of an earlier test, {jobs.namespace}/{jobs.name}, cannot be deleted"
            )
        time.sleep(PERIOD_SECONDS)


def run_id_of(job: TrainingJob) -> str:
    """The run's id; a training that logged nothing is not what was asked for."""
    status = job["status"]
    metrics = {metric["name"]: metric["value"] for metric in status.get("metrics", [])}
    if metrics.get("answer") != "42":
        raise TestFailedError(
            f"the run's metric `answer` should be 42, and status.metrics is {metrics}\n{described(job)}"
        )
    return str(status["tracking"]["runID"])


def tell_progress(job: TrainingJob, seen: str) -> str:
    """Print the state when it is a new one; returns it."""
    state = condition(job, "Complete")
    line = f"{state.get('reason', 'the operator has not answered yet')}: {state.get('message', '')}".rstrip(": ")
    if line != seen:
        print(line, flush=True)
    return line


def condition(job: TrainingJob, kind: str) -> dict[str, str]:
    """A condition, empty when it is not there."""
    conditions: list[dict[str, str]] = job.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def is_true(job: TrainingJob, kind: str) -> bool:
    """Whether a condition is true."""
    return condition(job, kind).get("status") == "True"


def has_failed(job: TrainingJob) -> bool:
    """Whether it will not succeed; a spec that the operator does not accept waits for somebody to mend it."""
    return is_true(job, "Failed") or job.get("status", {}).get("problem") == "InvalidSpec"


def described(job: TrainingJob) -> str:
    """Its conditions, a line each, and how to see more."""
    conditions = job.get("status", {}).get("conditions", [])
    lines = [f"  {c['type']}={c['status']} {c.get('reason', '')}: {c.get('message', '')}" for c in conditions]
    metadata = job["metadata"]
    more = f"kubectl describe trainingjob --namespace {metadata['namespace']} {metadata['name']}"
    none = "  no conditions: is the operator running, and does it watch this namespace?"
    return "\n".join([*(lines or [none]), f"see also: {more}"])


def main() -> int:
    """Run the test; 0 when it passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="the TrainingJob as JSON")
    parser.add_argument("--timeout-seconds", type=float, default=240)
    parser.add_argument("--tracking-uri", default="", help="where the operator was told to reach MLflow")
    options = parser.parse_args()
    if not options.tracking_uri:
        print("failed: mlflow.trackingUri is not set: upgrade the release with --set mlflow.trackingUri=http://…")
        return 1
    config.load_config()
    jobs = Jobs(client.CustomObjectsApi(), json.loads(options.manifest.read_text(encoding="utf-8")))
    try:
        run_id = run(jobs, options.timeout_seconds)
    except (TestFailedError, ApiException) as error:
        print(f"failed: {error}")
        return 1
    jobs.delete()
    print(f"passed: MLflow run {run_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
