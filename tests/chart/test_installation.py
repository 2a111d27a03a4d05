"""What a real API server says to the chart: no pods run, but everything else is checked and kept."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from chart.cluster import Cluster
from chart.rendering import CHART, NAMESPACE, RELEASE, VALUES_SETS, Helm, of_kind, values_file

pytestmark = pytest.mark.chart

TRAINING = """
apiVersion: modelyard.io/v1alpha1
kind: TrainingJob
metadata: {name: digits, namespace: team-a}
spec: {trainer: {command: [python3, -V]}}
"""

JOB = """
apiVersion: batch/v1
kind: Job
metadata:
  name: digits-1
  namespace: team-a
  ownerReferences:
  - apiVersion: modelyard.io/v1alpha1
    kind: TrainingJob
    name: digits
    uid: UID
    controller: true
    blockOwnerDeletion: true
spec:
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - {name: trainer, image: i, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
"""


@pytest.fixture
def accounts(helm: Helm, cluster: Cluster, values_set: str) -> Iterator[None]:
    """The accounts of the chart: a pod is refused when its account is not there, and a dry run makes none."""
    text = yaml.safe_dump_all(of_kind(helm.render(values_set), "ServiceAccount"))
    cluster.apply(text)
    yield
    cluster.output("delete", "-f", "-", stdin=text)


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_each_object_is_accepted_without_a_warning(helm: Helm, cluster_with_kinds: Cluster, values_set: str) -> None:
    text = helm.template("--values", str(values_file(values_set)))
    done = cluster_with_kinds.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_tests_trainingjob_is_accepted(helm: Helm, cluster_with_kinds: Cluster) -> None:
    (text,) = [
        each["data"]["trainingjob.json"]
        for each in of_kind(helm.render("default"), "ConfigMap")
        if "trainingjob.json" in each["data"]
    ]
    cluster_with_kinds.output("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)


@pytest.fixture
def installed(helm: Helm, cluster: Cluster) -> Iterator[Helm]:
    """The release, with a training of somebody's beside it; Helm that talks to its cluster."""
    connected = replace(helm, kubeconfig=cluster.control_plane.kubeconfig)
    # An earlier test made the definitions without Helm.
    done = connected.run(
        "install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--take-ownership",
        "--values", str(values_file("default")),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cluster.output("wait", "--for=condition=Established", "crd/trainingjobs.modelyard.io", "--timeout=30s")
    cluster.apply(TRAINING)
    yield connected
    connected.run("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found")


def fingerprint(cluster: Cluster, *which: str) -> tuple[str, str]:
    """Says whether it is the same object and whether it was touched."""
    metadata = json.loads(cluster.output("get", *which, "--namespace", "team-a", "--output", "json"))["metadata"]
    return metadata["uid"], metadata["resourceVersion"]


def test_an_upgrade_and_an_uninstall_leave_trainings_alone(installed: Helm, cluster: Cluster) -> None:
    uid, _ = before = fingerprint(cluster, "trainingjob", "digits")
    cluster.apply(JOB.replace("UID", uid))
    installed.output(
        "upgrade", RELEASE, str(CHART), "--namespace", NAMESPACE, "--values", str(values_file("everything"))
    )
    assert fingerprint(cluster, "trainingjob", "digits") == before
    installed.output("upgrade", RELEASE, str(CHART), "--namespace", NAMESPACE, "--values", str(values_file("default")))
    installed.output("uninstall", RELEASE, "--namespace", NAMESPACE)
    assert fingerprint(cluster, "trainingjob", "digits") == before
    assert fingerprint(cluster, "job", "digits-1")[0]
    left = cluster.output("get", "all,rolebindings,roles,serviceaccounts", "--namespace", NAMESPACE, "--output", "name")
    assert RELEASE not in left


def test_the_operators_account_makes_a_job_that_blocks_its_owners_deletion(installed: Helm, cluster: Cluster) -> None:
    uid, _ = fingerprint(cluster, "trainingjob", "digits")
    kubeconfig = cluster.control_plane.kubeconfig_for_service_account(NAMESPACE, RELEASE)
    job = JOB.replace("UID", uid).replace("digits-1", "digits-2")
    done = cluster.kubectl("create", "-f", "-", stdin=job, kubeconfig=kubeconfig)
    assert done.returncode == 0, done.stderr
    status = yaml.safe_load(TRAINING) | {"status": {"attempt": 1}}
    done = cluster.kubectl(
        "apply", "--server-side", "--subresource=status", "--field-manager=modelyard", "-f", "-",
        stdin=yaml.safe_dump(status), kubeconfig=kubeconfig,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert installed.kubeconfig


def test_a_person_with_the_role_edit_may_write_the_kinds(installed: Helm, cluster: Cluster) -> None:
    cluster.output("create", "rolebinding", "alice", "--clusterrole=edit", "--user=alice", "--namespace=team-a")
    cluster.output("create", "rolebinding", "bob", "--clusterrole=view", "--user=bob", "--namespace=team-a")
    answers = {
        (user, verb): cluster.kubectl(
            "auth", "can-i", verb, "trainingjobs.modelyard.io", f"--as={user}", "--namespace=team-a"
        ).stdout.strip()
        for user in ("alice", "bob")
        for verb in ("get", "create")
    }
    cluster.output("delete", "rolebinding", "alice", "bob", "--namespace=team-a")
    assert answers == {
        ("alice", "get"): "yes",
        ("alice", "create"): "yes",
        ("bob", "get"): "yes",
        ("bob", "create"): "no",
    }
    assert installed.kubeconfig
