import json
from collections.abc import Iterator

import pytest

from chart.cluster import Cluster
from chart.rendering import NAMESPACE, ROOT, Helm, Manifest
from tools.localcluster.build import ensure_built
from tools.localcluster.controlplane import ControlPlane

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}

MONITORS = "\n---\n".join(
    f"""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {kind.lower()}s.monitoring.coreos.com}}
spec:
  group: monitoring.coreos.com
  names: {{kind: {kind}, plural: {kind.lower()}s, singular: {kind.lower()}, listKind: {kind}List}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
    for kind in ("ServiceMonitor", "PodMonitor")
)
"""What the chart may count on being there: the Prometheus Operator's own definitions, without their rules."""


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(ensure_built() / "helm", tmp_path_factory.mktemp("helm-home"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server with everything in it that the chart counts on, and the strictest rule about owners."""
    flags = ["--enable-admission-plugins=OwnerReferencesPermissionEnforcement"]
    directory = tmp_path_factory.mktemp("control-plane")
    with ControlPlane(directory, apiserver_flags=flags) as plane:
        cluster = Cluster(plane)
        namespaces = [namespace(name) for name in (NAMESPACE, "team-a", "team-b")]
        cluster.apply("\n---\n".join([MONITORS, *map(json.dumps, namespaces)]))
        yield cluster


@pytest.fixture(scope="session")
def cluster_with_kinds(cluster: Cluster) -> Cluster:
    """The same with TrainingJobs and ModelDeployments."""
    cluster.output("apply", "--server-side", "-f", str(ROOT / "crds"))
    cluster.output("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return cluster


def namespace(name: str) -> Manifest:
    """A namespace that refuses, and warns of, every pod that is not restricted."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
