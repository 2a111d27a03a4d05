"""Renders the chart as Helm does, and reads what comes out."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "modelyard"
VALUES_SETS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "modelyard", "modelyard-system"
TEMPLATE = ("template", RELEASE, str(CHART), "--namespace", NAMESPACE)

Manifest = dict[str, Any]


def values_file(values_set: str) -> Path:
    return CHART / "ci" / f"{values_set}-values.yaml"


@dataclass(frozen=True)
class Helm:
    """The Helm of the local cluster, with or without a cluster to talk to."""

    program: Path
    home: Path
    """Where it keeps its caches: never in the home of whoever runs the tests."""
    kubeconfig: Path | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it; its exit code is the caller's to judge."""
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}
        if self.kubeconfig:
            environment["KUBECONFIG"] = str(self.kubeconfig)
        return subprocess.run(
            [str(self.program), *arguments], capture_output=True, text=True, check=False, timeout=120, env=environment
        )

    def output(self, *arguments: str) -> str:
        """What it prints; the test fails where it does not succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @cache  # noqa: B019 - one Helm for all tests, and many of them look at the same few sets of values
    def template(self, *arguments: str) -> str:
        """The release's objects as YAML, hooks among them."""
        return self.output(*TEMPLATE, *arguments)

    def objects(self, *arguments: str) -> list[Manifest]:
        """The release's objects."""
        return [each for each in yaml.safe_load_all(self.template(*arguments)) if each]

    def render(self, values_set: str) -> list[Manifest]:
        """The objects with one of the chart's sets of values."""
        return self.objects("--values", str(values_file(values_set)))

    def notes(self, *arguments: str) -> str:
        """What a person reads after the installation."""
        command = ("install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client", "--output", "json")
        return str(json.loads(self.output(*command, *arguments))["info"]["notes"])


def of_kind(objects: list[Manifest], kind: str) -> list[Manifest]:
    return [each for each in objects if each["kind"] == kind]


def is_test(manifest: Manifest) -> bool:
    """Whether it is there only while `helm test` runs."""
    return (manifest["metadata"].get("annotations") or {}).get("helm.sh/hook") == "test"


def operator_deployment(objects: list[Manifest]) -> Manifest:
    (deployment,) = of_kind(objects, "Deployment")
    return deployment


def operator_container(objects: list[Manifest]) -> dict[str, Any]:
    (container,) = operator_deployment(objects)["spec"]["template"]["spec"]["containers"]
    return dict(container)


def operator_environment(objects: list[Manifest]) -> dict[str, str]:
    """The operator's variables; those that Kubernetes fills in are told by the field they come from."""
    return {
        variable["name"]: variable["value"] if "value" in variable else variable["valueFrom"]["fieldRef"]["fieldPath"]
        for variable in operator_container(objects)["env"]
    }


def rules_of(objects: list[Manifest]) -> Iterator[tuple[Manifest, dict[str, Any]]]:
    """Every rule, with the role that it is in."""
    for role in [*of_kind(objects, "ClusterRole"), *of_kind(objects, "Role")]:
        for rule in role["rules"]:
            yield role, rule
