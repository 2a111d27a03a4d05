"""The chart's admission policies as they are installed by default: on, in force for people, and in nobody's way."""

import json

import pytest

from support.trainings import code, training_job
from support.yard import Yard
from tools.demo import install
from tools.seldon_standin.install import KubectlError

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KINDS = {
    "trainingjobs": training_job("hers", source={"configMap": {"name": "hers"}}),
    "modeldeployments": {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "hers"},
        "spec": {"model": {"name": "hers", "alias": "champion"}, "backend": "Deployment"},
    },
}
WHO = ["--as=eve", "--as-group=system:authenticated"]


def allow(yard: Yard, *resources: str) -> None:
    """Let her write these in the test's namespace."""
    name = resources[0].partition(".")[0]
    verbs = "--verb=create" if name == "pods" else "--verb=get,list,create,patch,update"
    yard.kubectl("create", "role", name, verbs, *(f"--resource={resource}" for resource in resources))
    yard.kubectl("create", "rolebinding", name, f"--role={name}", "--user=eve")


def try_it(yard: Yard, kind: str) -> str:
    """What she is told when she applies one of this kind; nothing when it is made."""
    try:
        yard.kubectl("apply", *WHO, "--filename", "-", stdin=json.dumps(KINDS[kind]))
    except KubectlError as error:
        return str(error)
    return ""


def test_who_may_not_create_pods_may_not_have_them_made(yard: Yard) -> None:
    yard.apply(code("hers", "import mlflow; mlflow.start_run()"))
    allow(yard, *(f"{kind}.modelyard.io" for kind in KINDS))
    for kind in KINDS:
        refused = try_it(yard, kind)
        assert "ValidatingAdmissionPolicy" in refused, refused
        assert "pods" in refused
        assert "eve" in refused
    assert not yard.items("trainingjobs,modeldeployments")
    allow(yard, "pods")
    for kind in KINDS:
        yard.until(lambda kind=kind: try_it(yard, kind) == "", f"with that right her {kind} is made", 30)
    done = yard.wait("trainingjob", "hers", "Complete", 180)
    assert done["status"]["attempt"] == 1


def test_the_policies_are_on_with_the_values_of_the_demo(yard: Yard) -> None:
    """`helm test` and every example run on this installation, too."""
    assert "admission" not in install.values(yard.site.images)
    policies = json.loads(yard.site.kubectl.run("get", "validatingadmissionpolicybindings", "--output", "json"))[
        "items"
    ]
    ours = [item for item in policies if item["metadata"]["labels"].get("app.kubernetes.io/name") == "modelyard"]
    assert {action for item in ours for action in item["spec"]["validationActions"]} == {"Deny"}
    assert {item["spec"]["policyName"].rpartition("-")[2] for item in ours} >= {"trainingjobs", "modeldeployments"}
