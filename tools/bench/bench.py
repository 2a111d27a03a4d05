"""What all parts of the measurement of serving share."""

from dataclasses import dataclass

from tools.bench.pods import LoadPod
from tools.demo import digits, install, story
from tools.demo.install import NAMESPACE
from tools.demo.objects import Watch, is_true, refuse_failure, ticks
from tools.demo.place import Site
from tools.demo.screen import Screen

DEPLOYMENT = story.DEPLOYMENT
SWITCH_LIMIT_SECONDS = 180
VERSION_LABEL = "modelyard.io/model-version"
ALIAS, MODEL = "champion", "digits"
_MOVE_ALIAS = """
import sys, time, mlflow
name, alias, version = sys.argv[1:]
mlflow.MlflowClient("http://localhost:5000").set_registered_model_alias(name, alias, version)
print(time.time())
"""


@dataclass(frozen=True)
class Bench:
    """The cluster, the measurement's namespace, and what it does there more than once."""

    site: Site
    watch: Watch
    screen: Screen

    def load(self, name: str) -> LoadPod:
        """A pod that asks about one digit."""
        request = digits.request_for(digits.load()[:1])
        return LoadPod(self.site.kubectl, NAMESPACE, self.site.images["model-fetcher"], name, request)

    def url(self, name: str = DEPLOYMENT) -> str:
        """Where a ModelDeployment answers; raises KubectlError."""
        return str(self.watch.read("modeldeployment", name)["status"]["url"])

    def move_alias(self, version: str) -> float:
        """Points the alias at this version; the Unix time of MLflow's reply. Raises KubectlError."""
        command = ["exec", "--namespace", install.MLFLOW_NAMESPACE, "deploy/mlflow", "--", "python3", "-c", _MOVE_ALIAS]
        return float(self.site.kubectl.run(*command, MODEL, ALIAS, version))

    def await_served(self, version: str, name: str = DEPLOYMENT, limit_seconds: float = SWITCH_LIMIT_SECONDS) -> None:
        """Waits until a ModelDeployment says that it serves this version alone; raises DemoError, KubectlError."""
        for _ in ticks(f"version {version} serving", limit_seconds):
            manifest = self.watch.read("modeldeployment", name)
            refuse_failure(manifest)
            status = manifest.get("status") or {}
            if (status.get("stable") or {}).get("version") == version and is_true(manifest, "Ready"):
                return
