"""The operator's rights, rendered from the chart: what tests prove holds for what is installed."""

from pathlib import Path
from typing import Any

from chart.rendering import NAMESPACE, RELEASE, Helm, is_test
from support.kube import Kube
from tools.localcluster.controlplane import ControlPlane

USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
_KINDS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def grant(plane: ControlPlane, kube: Kube, folder: Path) -> list[dict[str, Any]]:
    """Apply the service account, roles and bindings of the chart; the objects that were applied."""
    objects = Helm(plane.programs / "helm", folder).render("default")
    wanted = [each for each in objects if each["kind"] in _KINDS and not is_test(each)]
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for manifest in wanted:
        kube.apply(manifest)
    return wanted


def granted(objects: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Every (verb, group, resource) that the roles of the operator grant."""
    bound = {each["roleRef"]["name"] for each in objects if each["kind"].endswith("Binding")}
    rules = [rule for each in objects if each["metadata"]["name"] in bound for rule in each.get("rules", [])]
    return {
        (verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
