"""The pod that runs a script of this repository."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.demo.script_pod import ScriptPod
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin.install import Kubectl

SCRIPTS = (CHECKOUT / "tools/bench/load.py", CHECKOUT / "tools/demo/trickle.py")


def manifests(*arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    request = {"inputs": []}
    config, pod = ScriptPod(Kubectl(), "ns", "load", "image:1", SCRIPTS, request, 60).manifests(arguments)["items"]
    return config, pod


def test_the_pod_is_one_that_pod_security_restricted_admits() -> None:
    _, pod = manifests()
    container = pod["spec"]["containers"][0]["securityContext"]

    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}


def test_the_pod_ends_by_itself() -> None:
    _, pod = manifests()

    assert pod["spec"]["activeDeadlineSeconds"] == 60


def test_the_request_travels_beside_the_scripts() -> None:
    config, _ = manifests()

    assert json.loads(config["data"]["request.json"]) == {"inputs": []}


def test_the_files_of_the_volume_run_as_they_lie_there(tmp_path: Path) -> None:
    config, pod = manifests("compare")
    for item in pod["spec"]["volumes"][0]["configMap"]["items"]:
        file = tmp_path / item["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config["data"][item["key"]])
    container = pod["spec"]["containers"][0]
    mount = container["volumeMounts"][0]["mountPath"]
    program, script, *_ = container["command"]
    assert program == "python3"

    # Without arguments it gets as far as reading them: all that it imports is there.
    command = [sys.executable, "-S", str(tmp_path / Path(script).relative_to(mount))]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)

    assert "not enough values to unpack" in done.stderr
