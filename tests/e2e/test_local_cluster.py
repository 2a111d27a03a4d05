"""The local cluster does what a real node does, lets nobody else in, and leaves nothing behind."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.localcluster import cluster, leftovers, network
from tools.localcluster.controlplane import ControlPlane
from tools.localcluster.images import has_image, import_archive
from tools.localcluster.packages import install_missing
from tools.localcluster.paths import CHECKOUT, RUNTIME, State, cluster_cache
from tools.localcluster.pause import write_archive
from tools.localcluster.ports import listeners
from tools.localcluster.processes import ProcessFolder
from tools.localcluster.progress import Steps
from tools.localcluster.start import PROGRAMS

pytestmark = pytest.mark.e2e

BUSYBOX = "localhost/modelyard/busybox:1"
NEIGHBOUR = "modelyard-test"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
WEB_SERVER = "echo hello > /www/index.html; echo serving; exec /busybox httpd -f -p 8080 -h /www"
# A Service has its name and its rules on the node a moment after its pods are ready, as on every cluster.
WEB_CLIENT = (
    "for i in $(/busybox seq 30); do /busybox wget -qO- http://web 2>/dev/null && exit; /busybox sleep 1; done; exit 1"
)


@pytest.fixture
def state() -> Iterator[State]:
    yield cluster.up(cluster.Request("tests", take_over=os.environ.get("MODELYARD_TAKE_OVER") == "1"))
    cluster.release()


@pytest.fixture
def kubectl(state: State) -> Callable[..., str]:
    def run(*arguments: str, given: object = None) -> str:
        owner = json.loads((RUNTIME / "owner.json").read_text())
        command = [f"{owner['programs']}/kubectl", "--kubeconfig", str(state.kubeconfig), *arguments]
        text = None if given is None else json.dumps(given)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"kubectl {arguments}: {done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def namespace(kubectl: Callable[..., str]) -> Iterator[str]:
    name = f"local-cluster-{os.getpid()}-{time.monotonic_ns()}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def busybox(state: State, tmp_path: Path) -> str:  # noqa: ARG001 - the node has to be up to take an image
    install_missing(["busybox-static"], cluster_cache() / "logs" / "packages.log", Steps("test"))
    if not has_image(BUSYBOX):
        write_archive(tmp_path / "busybox.tar", BUSYBOX, Path("/bin/busybox"))
        import_archive(tmp_path / "busybox.tar")
    return BUSYBOX


def make_pod(name: str, script: str, memory: str = "64Mi") -> dict[str, Any]:
    container = {
        "name": "main",
        "image": BUSYBOX,
        "command": ["/busybox", "sh", "-c", script],
        "securityContext": RESTRICTED,
        "resources": {"limits": {"cpu": "500m", "memory": memory}},
        "volumeMounts": [{"name": "www", "mountPath": "/www"}],
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "www", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def make_service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pods_end(kubectl: Callable[..., str], namespace: str, name: str) -> dict[str, Any]:
    """The container's final state, once there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        pod = json.loads(kubectl("-n", namespace, "get", "pod", name, "-o", "json"))
        for status in pod["status"].get("containerStatuses", []):
            if "terminated" in status["state"]:
                ended: dict[str, Any] = status["state"]["terminated"]
                return ended
        time.sleep(0.2)
    raise AssertionError(f"{name} did not end: {pod['status']}")


def start_web_server(kubectl: Callable[..., str], namespace: str) -> None:
    pod = make_pod("web", WEB_SERVER)
    # Without it a container is ready once it was started, before anything listens or was logged.
    pod["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    for made in (pod, make_service("web")):
        kubectl("-n", namespace, "apply", "-f", "-", given=made)
    kubectl("-n", namespace, "wait", "pod/web", "--for=condition=Ready", "--timeout=60s")


def http_status(url: str, token: str | None = None) -> int:
    """What an HTTPS request to one of the node's addresses is answered with, anonymous without a token."""
    context = ssl._create_unverified_context()  # noqa: S323 - asks whether strangers are refused, whoever answers
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return int(opener.open(urllib.request.Request(url, headers=headers), timeout=5).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_node_is_ready_and_of_the_built_version(kubectl: Callable[..., str]) -> None:
    node = json.loads(kubectl("get", "node", "modelyard", "-o", "json"))
    conditions = {said["type"]: said["status"] for said in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.2"


@pytest.mark.usefixtures("busybox")
def test_a_restricted_pod_reaches_a_service_by_its_name(kubectl: Callable[..., str], namespace: str) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    start_web_server(kubectl, namespace)
    kubectl("-n", namespace, "apply", "-f", "-", given=make_pod("client", WEB_CLIENT))
    assert pods_end(kubectl, namespace, "client")["exitCode"] == 0
    assert kubectl("-n", namespace, "logs", "client") == "hello\n"


@pytest.mark.usefixtures("busybox")
def test_a_running_pods_log_can_be_read_and_a_command_run_in_it(kubectl: Callable[..., str], namespace: str) -> None:
    start_web_server(kubectl, namespace)
    assert kubectl("-n", namespace, "logs", "web") == "serving\n"
    assert kubectl("-n", namespace, "exec", "web", "--", "/busybox", "id", "-u") == "1000\n"


@pytest.mark.usefixtures("busybox")
def test_a_container_over_its_memory_limit_ends_as_oomkilled(kubectl: Callable[..., str], namespace: str) -> None:
    pod = make_pod("greedy", "exec /busybox tail /dev/zero", memory="16Mi")
    kubectl("-n", namespace, "apply", "-f", "-", given=pod)
    ended = pods_end(kubectl, namespace, "greedy")
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


@pytest.mark.usefixtures("busybox")
def test_what_a_pod_without_root_writes_to_a_claim_the_next_pod_reads(
    kubectl: Callable[..., str], namespace: str
) -> None:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "kept"}, "spec": wanted}
    kubectl("-n", namespace, "apply", "-f", "-", given=claim)
    for name, script in (("writer", "echo 7 > /www/step"), ("reader", "/busybox cat /www/step")):
        pod = make_pod(name, script)
        pod["spec"]["securityContext"]["fsGroup"] = 1000
        pod["spec"]["volumes"] = [{"name": "www", "persistentVolumeClaim": {"claimName": "kept"}}]
        kubectl("-n", namespace, "apply", "-f", "-", given=pod)
        assert pods_end(kubectl, namespace, name)["exitCode"] == 0
    assert kubectl("-n", namespace, "logs", "reader") == "7\n"


@pytest.mark.usefixtures("state")
def test_strangers_are_not_let_in_by_apiserver_and_kubelet() -> None:
    asked = [f"https://127.0.0.1:{cluster.apiserver_port()}/api", "https://10.244.0.1:10250/pods"]
    assert [http_status(url) for url in asked] == [401, 401]


def test_a_pods_account_may_not_ask_the_kubelet(kubectl: Callable[..., str], namespace: str) -> None:
    token = kubectl("-n", namespace, "create", "token", "default").strip()
    assert http_status("https://10.244.0.1:10250/pods", token) == 403


def test_etcd_opens_to_the_apiservers_certificate_and_to_no_other(state: State) -> None:
    pid = ProcessFolder(state.pids, state.logs).pid("etcd")
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    url = next(word for word in command if word.startswith("--listen-client-urls=")).partition("=")[2]

    def ask(folder: Path, name: str) -> int:
        context = ssl.create_default_context(cafile=str(state.pki / "etcd" / "etcd-ca.crt"))
        context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        return int(opener.open(f"{url}/version", timeout=5).status)

    assert ask(state.pki / "etcd", "apiserver-etcd-client-client") == 200
    # Depending on who is quicker, the alert is read or the closed connection is.
    with pytest.raises(OSError, match=r"EOF|certificate|unknown ca|reset"):
        ask(state.pki, "admin-client")


def test_nothing_of_the_cluster_listens_on_an_outside_address(state: State) -> None:
    processes = ProcessFolder(state.pids, state.logs)
    mine = {
        str(descriptor.readlink())
        for name in PROGRAMS
        for descriptor in Path(f"/proc/{processes.pid(name)}/fd").iterdir()
    }
    addresses = {str(found.address) for found in listeners() if f"socket:[{found.inode}]" in mine}
    assert addresses == {"127.0.0.1", network.NODE_ADDRESS}


@pytest.fixture
def lowest_port(state: State) -> Iterator[None]:  # noqa: ARG001 - the bridge is the cluster's
    """A port of the bridge with a lower hardware address than that of any pod."""
    ip = lambda *arguments: subprocess.run(["ip", "link", *arguments], check=True)  # noqa: E731
    ip("add", "mytest2", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "mytest3")
    ip("set", "mytest2", "master", network.BRIDGE)
    yield
    ip("delete", "mytest2")


@pytest.mark.usefixtures("lowest_port")
def test_the_bridge_keeps_its_hardware_address_whichever_pod_comes() -> None:
    assert Path(f"/sys/class/net/{network.BRIDGE}/address").read_text(encoding="ascii").strip() == network.BRIDGE_MAC


@pytest.fixture
def neighbour() -> Iterator[Callable[[str], str]]:
    """Another host that routes everything over this one, as on a shared network. Its addresses are never real ones."""

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    names = Path("/run/netns")
    names_were_there = names.exists()
    ip("netns", "add", NEIGHBOUR)
    ip("link", "add", "mytest0", "type", "veth", "peer", "name", "mytest1", "netns", NEIGHBOUR)
    ip("address", "add", "198.51.100.1/30", "dev", "mytest0")
    ip("link", "set", "mytest0", "up")
    ip("-n", NEIGHBOUR, "address", "add", "198.51.100.2/30", "dev", "mytest1")
    ip("-n", NEIGHBOUR, "link", "set", "mytest1", "up")
    ip("-n", NEIGHBOUR, "route", "add", "default", "via", "198.51.100.1")

    def connect(target: str) -> str:
        host, _, port = target.partition(":")
        script = f"import socket; socket.create_connection(({host!r}, {port}), timeout=1.5); print('connected')"
        command = ["ip", "netns", "exec", NEIGHBOUR, sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() or done.stderr.strip().splitlines()[-1]

    yield connect
    ip("netns", "delete", NEIGHBOUR)
    subprocess.run(["ip", "link", "delete", "mytest0"], capture_output=True, check=False)
    if not names_were_there:
        # ip mounts this folder on itself when it makes it.
        subprocess.run(["umount", str(names)], check=True)
        names.rmdir()


@pytest.mark.usefixtures("busybox")
def test_a_neighbour_reaches_neither_apiserver_nor_kubelet_nor_pods_nor_services(
    kubectl: Callable[..., str], namespace: str, neighbour: Callable[[str], str]
) -> None:
    start_web_server(kubectl, namespace)
    pod = kubectl("-n", namespace, "get", "pod", "web", "-o", "jsonpath={.status.podIP}")
    service = kubectl("-n", namespace, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    port = cluster.apiserver_port()
    targets = [f"10.244.0.1:{port}", "10.244.0.1:10250", "10.96.0.1:443", f"{pod}:8080", f"{service}:80"]
    assert {target: neighbour(target) for target in targets} == dict.fromkeys(targets, "TimeoutError: timed out")
    assert "refused" in neighbour(f"198.51.100.1:{port}")


@pytest.mark.usefixtures("state")
def test_up_finds_a_running_cluster_and_leaves_it_alone() -> None:
    before = cluster.status()
    started = time.monotonic()
    cluster.up(cluster.Request("tests"))
    assert cluster.status() == before
    assert time.monotonic() - started < 2


@pytest.mark.usefixtures("state")
def test_another_checkout_is_told_who_uses_the_cluster_and_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "tools", tmp_path / "tools")
    environment = {name: value for name, value in os.environ.items() if name != "MODELYARD_TAKE_OVER"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.localcluster", "up"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(CHECKOUT) in done.stderr
    assert "MODELYARD_TAKE_OVER=1" in done.stderr
    assert cluster.is_up()


def test_a_control_plane_runs_beside_the_node_and_comes_back_with_its_data(tmp_path: Path) -> None:
    with ControlPlane(tmp_path / "plane") as plane:

        def kubectl(kubeconfig: Path, *arguments: str) -> str:
            command = [str(plane.kubectl), "--kubeconfig", str(kubeconfig), *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout

        assert "serviceaccount/runner created" in kubectl(plane.kubeconfig, "create", "serviceaccount", "runner")
        plane.stop_apiserver()
        plane.start_apiserver()
        account = plane.kubeconfig_for_service_account("default", "runner")
        assert kubectl(account, "auth", "can-i", "list", "pods") == "no\n"
        user = plane.kubeconfig_for("alice", ["team"])
        assert "[team system:authenticated]" in kubectl(user, "auth", "whoami")
        assert '"username":"alice"' in plane.audit_log.read_text()
        command_lines = processes_naming([tmp_path])
        assert len(command_lines) >= 3
    assert processes_naming([tmp_path]) == []


@pytest.mark.disruptive
@pytest.mark.usefixtures("busybox")
def test_a_killed_cluster_is_replaced_within_thirty_seconds(
    state: State, kubectl: Callable[..., str], namespace: str
) -> None:
    start_web_server(kubectl, namespace)
    processes = ProcessFolder(state.pids, state.logs)
    for name in PROGRAMS:
        processes.send(name, signal.SIGKILL)
    started = time.monotonic()
    cluster.up(cluster.Request("tests"))
    assert time.monotonic() - started < 30
    kubectl("create", "namespace", namespace)
    start_web_server(kubectl, namespace)


@pytest.mark.disruptive
@pytest.mark.usefixtures("busybox")
def test_down_leaves_no_trace(state: State, kubectl: Callable[..., str]) -> None:
    kubectl("create", "namespace", "trace")
    start_web_server(kubectl, "trace")
    cluster.down()
    assert leftovers.mounts_below(Path("/proc/mounts").read_text(), [state.root, RUNTIME]) == []
    assert leftovers.pod_cgroups() == []
    assert not network.bridge_exists()
    assert not network.has_rules()
    assert {entry.name for entry in state.root.iterdir()} == {"containerd", ".modelyard-cluster"}
    gone = [RUNTIME, Path("/var/lib/cni"), Path("/var/lib/kubelet"), Path("/var/log/containers")]
    assert [path for path in gone if path.exists()] == []
    assert processes_naming([state.root, RUNTIME]) == []


def processes_naming(folders: list[Path]) -> list[str]:
    """Command lines that name one of the folders, other than this test's own."""
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.name != str(os.getpid())]
    wanted = [str(folder).encode() for folder in folders]
    return [line.decode(errors="replace") for line in lines if any(word in line for word in wanted)]
