"""Seldon's stand-in: its CRD and rights in the cluster, and its manager as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from support.kube import Kube
from support.operator_process import ROOT
from tools.localcluster.controlplane import ControlPlane
from tools.seldon_standin.manifests import CRD_FILE, CRD_NAME, NAME, NAMESPACE, standin_manifests


class SeldonStandIn:
    """Installed and removed while an operator runs."""

    def __init__(self, plane: ControlPlane, kube: Kube, folder: Path) -> None:
        self._plane = plane
        self._kube = kube
        self._log = folder / "standin.log"
        self._process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """The CRD, the rights and the manager."""
        self._kube.apply(yaml.safe_load(CRD_FILE.read_text()))
        for manifest in standin_manifests("image:1"):
            # No node runs it here; what these objects allow it is what the process below has.
            if manifest["kind"] not in {"Deployment", "ConfigMap"}:
                self._kube.apply(manifest)
        account = self._plane.kubeconfig_for_service_account(NAMESPACE, NAME)
        environment = {**os.environ, "KUBECONFIG": str(account), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tools.seldon_standin.main", "--lag-seconds", "0.3"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)

    def remove(self) -> None:
        """The manager and the CRD, and with it every SeldonDeployment."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(15)
            self._process = None
        self._kube.delete("CustomResourceDefinition", "", CRD_NAME)
