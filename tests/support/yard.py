"""What end-to-end tests say: one namespace of the local cluster, with the operator, MLflow and the stand-in on it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.demo import install, story
from tools.demo.digits import Answer, load, parse_answer, request_for
from tools.demo.place import Site
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import Kubectl, KubectlError

EXAMPLES = CHECKOUT / "examples"
MLFLOW = ("--namespace", install.MLFLOW_NAMESPACE, "deployment/mlflow")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


FORGET_MODELS = """
import json, urllib.request as u
url = "http://localhost:5000/api/2.0/mlflow/registered-models/"
for model in json.load(u.urlopen(url + "search?max_results=1000")).get("registered_models", []):
    body = json.dumps({"name": model["name"]}).encode()
    u.urlopen(u.Request(url + "delete", body, {"Content-Type": "application/json"}, method="DELETE"))
"""


def forget_models(kubectl: Kubectl) -> None:
    """Deletes all registered models: a test would follow the aliases that an earlier one has left."""
    kubectl.run("exec", *MLFLOW, "--", "python3", "-c", FORGET_MODELS)


@dataclass
class Yard:
    """The installed operator and one namespace, with the few verbs that tests need."""

    site: Site
    namespace: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.site.kubectl.run(*arguments, "--namespace", self.namespace, stdin=stdin)

    def apply(self, manifest: Path | dict[str, Any] | list[dict[str, Any]]) -> None:
        if isinstance(manifest, Path):
            self.kubectl("apply", "--filename", str(manifest))
            return
        items = manifest if isinstance(manifest, list) else [manifest]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        self.kubectl("apply", "--filename", "-", stdin=text)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "--output", "json"))
        return found

    def items(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        options = ["--selector", selector] if selector else []
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, *options, "--output", "json"))["items"]
        return found

    def conditions(self, kind: str, name: str) -> dict[str, dict[str, Any]]:
        """All conditions of one reading, by type."""
        stated = (self.get(kind, name).get("status") or {}).get("conditions") or []
        return {item["type"]: item for item in stated}

    def condition(self, kind: str, name: str, condition: str) -> dict[str, Any]:
        return self.conditions(kind, name).get(condition, {})

    def wait(self, kind: str, name: str, condition: str, seconds: float = 300) -> dict[str, Any]:
        """The object once the condition is true; fails at once when it says that it never will be."""

        def is_so() -> bool:
            stated = self.conditions(kind, name)  # read once: two reads may tell two stories
            if stated.get(condition, {}).get("status") == "True":
                return True
            complete = stated.get("Complete", {})
            failed = complete if complete.get("reason") == "InvalidSpec" else stated.get("Failed", {})
            if failed is complete or failed.get("status") == "True":
                pytest.fail(f"{kind} {name} failed: {failed['reason']}: {failed['message']}")
            return False

        self.until(is_so, f"{kind} {name}: {condition}", seconds)
        return self.get(kind, name)

    def serves(self, deployment: str, job: str, seconds: float = 600) -> str:
        """The version a TrainingJob made, once a ModelDeployment serves it; its alias may have led elsewhere before."""
        version: str = self.wait("trainingjob", job, "Complete", seconds)["status"]["modelVersion"]["version"]

        def is_stable() -> bool:
            status = self.get("modeldeployment", deployment).get("status") or {}
            ready = self.condition("modeldeployment", deployment, "Ready")
            return (status.get("stable") or {}).get("version") == version and ready.get("reason") == "Serving"

        self.until(is_stable, f"modeldeployment {deployment} serves version {version}", seconds)
        return version

    def until(self, is_so: Callable[[], bool], what: str, seconds: float = 120) -> None:
        """Wait for something; says how the namespace looks when it does not come about."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if is_so():
                    return
            except KubectlError as error:
                if "NotFound" not in str(error):
                    raise
            time.sleep(0.5)
        shown = self.kubectl("get", "trainingjobs,modeldeployments,jobs,pods", "--output", "wide")
        told = self.kubectl("get", "trainingjobs,modeldeployments", "--output", "jsonpath={.items[*].status}")
        pytest.fail(f"within {seconds} s this did not come about: {what}\n{shown}\n{told}\n{self.operator_log()}")

    def operator_log(self) -> str:
        return self.site.kubectl.run(
            "logs",
            "--namespace",
            install.SYSTEM_NAMESPACE,
            "--selector",
            "app.kubernetes.io/name=modelyard",
            "--tail=15",
            "--prefix",
        )

    def predict(self, deployment: str) -> Answer:
        """The answer of a ModelDeployment to the demo's scanned digits."""
        url = self.get("modeldeployment", deployment)["status"]["url"]
        body = json.dumps(request_for(load()))
        return parse_answer(
            self.site.kubectl.run("create", "--raw", story.proxy_path(url), "--filename", "-", stdin=body)
        )

    def run_of(self, run_id: str) -> dict[str, Any]:
        """A run as MLflow tells it: status, tags, parameters, the names of its metrics, and datasets."""
        script = (
            "import json,sys,urllib.request as u;"
            "print(u.urlopen('http://localhost:5000/api/2.0/mlflow/runs/get?run_id='+sys.argv[1]).read().decode())"
        )
        text = self.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", script, run_id)
        run = json.loads(text)["run"]
        data = run["data"]
        told = {name: {item["key"]: item["value"] for item in data.get(name, [])} for name in ("tags", "params")}
        metrics = {item["key"] for item in data.get("metrics", [])}
        datasets = [item["dataset"] for item in run.get("inputs", {}).get("dataset_inputs", [])]
        ended = run["info"].get("end_time")
        return told | {"status": run["info"]["status"], "metrics": metrics, "ended": ended, "datasets": datasets}

    def history_of(self, run_id: str, metric: str) -> list[dict[str, Any]]:
        """Every point of a metric as MLflow keeps it, in the order of its steps: those logged twice are there twice."""
        script = (
            "import sys,urllib.request as u;"
            "print(u.urlopen('http://localhost:5000/api/2.0/mlflow/metrics/get-history?run_id='+sys.argv[1]"
            "+'&metric_key='+sys.argv[2]).read().decode())"
        )
        text = self.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", script, run_id, metric)
        points = [point | {"step": int(point.get("step", 0))} for point in json.loads(text).get("metrics", [])]
        return sorted(points, key=lambda point: int(point["step"]))

    def runs_still_open(self) -> list[str]:
        """Runs of every experiment that have not ended."""
        script = (
            "import json,urllib.request as u\n"
            "def ask(path,body):\n"
            "    r=u.Request('http://localhost:5000/api/2.0/mlflow/'+path,json.dumps(body).encode(),"
            "{'Content-Type':'application/json'})\n"
            "    return json.load(u.urlopen(r))\n"
            "ids=[e['experiment_id'] for e in ask('experiments/search',{'max_results':1000})['experiments']]\n"
            "q={'experiment_ids':ids,'filter':\"attributes.status = 'RUNNING'\",'max_results':1000}\n"
            "print(json.dumps([r['info']['run_id'] for r in ask('runs/search',q).get('runs',[])]))"
        )
        found: list[str] = json.loads(self.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", script))
        return found
